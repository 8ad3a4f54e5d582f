import Archive
import Files
import Foundation
import Runs
import Values

/// The journal of archive, purge and restore: a file in the checkpoint folder that shows the state
/// of a run without the database.
public struct ArchiveJournal {
  /// The content of a journal.
  public struct Entry: Codable, Sendable {
    /// The verb.
    public var verb: String
    /// The command line.
    public var parameters: String
    /// The database of the call logs.
    public var database: String
    /// The number of the run.
    public var run: Int
    /// The id of the process.
    public var process: Int
    /// When the run began, in ISO 8601 and UTC.
    public var started: String
    /// When the journal was last written, in ISO 8601 and UTC.
    public var changed: String
    /// Whether the run reached its end.
    public var isDone: Bool
    /// Parts done by table.
    public var parts: [String: Int] = [:]
    /// Rows done by table.
    public var rows: [String: Int] = [:]
    /// The month of the last part.
    public var month: String?
    /// For a restore: the restored parts, as paths in the archive.
    public var restored: [String] = []
  }

  private let folder: String
  private let name: String
  /// The present content.
  public private(set) var entry: Entry

  private static func name(_ verb: String, _ context: RunContext) -> String {
    // Each CEL table has one journal for archive and purge, and one for restore.
    let identity = context.table.identity
    return "\(verb == "restore" ? "restore" : "archive")-\(identity.system)-\(identity.database)-\(identity.table).json"
  }

  /// Begins a journal, which replaces the last one.
  /// - Throws: ``JobError`` if the folder cannot be written
  init(_ context: RunContext, verb: String, parameters: String, run: Int32) throws {
    guard let folder = context.settings.checkpointDirectory else {
      throw JobError(.configuration, "there is no folder for the journal of \(verb); set checkpoint_dir")
    }
    (self.folder, name) = (folder, ArchiveJournal.name(verb, context))
    let now = Date().ISO8601Format()
    entry = Entry(
      verb: verb, parameters: parameters, database: context.databases.logs.server.database, run: Int(run),
      process: Int(ProcessInfo.processInfo.processIdentifier), started: now, changed: now, isDone: false)
    try write()
  }

  mutating func note(_ table: ArchiveJob.TableSummary, _ month: Month) throws {
    entry.parts[table.kind.rawValue] = table.parts
    entry.rows[table.kind.rawValue] = table.rows[table.kind.contents[0]] ?? table.deleted
    entry.month = "\(month)"
    try write()
  }

  mutating func note(_ name: String, rows: Int) throws {
    entry.rows[name] = rows
    try write()
  }

  mutating func note(restored part: PartName, rows: Int) throws {
    entry.restored.append("\(part)")
    entry.parts[part.kind.rawValue, default: 0] += 1
    entry.rows[part.kind.rawValue, default: 0] += rows
    entry.month = "\(part.month)"
    try write()
  }

  mutating func end() throws {
    entry.isDone = true
    entry.restored = []
    try write()
  }

  private mutating func write() throws {
    entry.changed = Date().ISO8601Format()
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try DurableFile.replace(name, in: folder, with: String(decoding: try encoder.encode(entry), as: UTF8.self) + "\n")
  }

  static func read(_ path: String) -> Entry? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try? decoder.decode(Entry.self, from: data)
  }

  /// All journals in a checkpoint folder, by file name.
  public static func all(in folder: String) -> [Entry] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { ($0.hasPrefix("archive-") || $0.hasPrefix("restore-")) && $0.hasSuffix(".json") }.sorted()
      .compactMap { read("\(folder)/\($0)") }
  }
}
