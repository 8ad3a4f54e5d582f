import Archive
import Files
import Foundation
import Runs
import Values

/// The journal of archive, purge and restore in the checkpoint folder: where a run stands, to be read without the database.
public struct ArchiveJournal {
  /// What stands in it.
  public struct Entry: Codable, Sendable {
    /// The verb.
    public var verb: String
    /// What was asked for.
    public var parameters: String
    /// The database of the call logs.
    public var database: String
    /// The run's number.
    public var run: Int
    /// The process.
    public var process: Int
    /// When it began, in ISO 8601 and UTC.
    public var started: String
    /// When something was last done.
    public var changed: String
    /// Whether it has come to its end.
    public var isDone: Bool
    /// Parts done by table.
    public var parts: [String: Int] = [:]
    /// Rows done by table.
    public var rows: [String: Int] = [:]
    /// The month that was worked on last.
    public var month: String?
    /// Of a restore: the parts that are restored, as paths in the archive.
    public var restored: [String] = []
  }

  private let folder: String
  private let name: String
  /// What stands in it now.
  public private(set) var entry: Entry

  private static func name(_ verb: String, _ context: RunContext) -> String {
    // One for writing, one for restoring, of each CEL table.
    let identity = context.table.identity
    return "\(verb == "restore" ? "restore" : "archive")-\(identity.system)-\(identity.database)-\(identity.table).json"
  }

  /// Begins a journal in place of the last.
  /// - Throws: ``JobError`` where the folder cannot be written to
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

  /// Every journal in a checkpoint folder, by the names of the files.
  public static func all(in folder: String) -> [Entry] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { ($0.hasPrefix("archive-") || $0.hasPrefix("restore-")) && $0.hasSuffix(".json") }.sorted()
      .compactMap { read("\(folder)/\($0)") }
  }
}
