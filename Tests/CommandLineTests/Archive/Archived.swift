import Archive
import Archiving
import Foundation
import PrivateServer
import Runs
import Testing

/// A database with call logs, an archive's folder, and what was in the tables at first.
struct Archived {
  let database: TestDatabase
  let scratch: Scratch
  let before: String

  var folder: String { scratch.path + "/archives" }
  /// The recordings folder: it holds the audio of every recording, and a file that is none's.
  var recordings: String { scratch.path + "/recordings" }

  init(_ template: Template = .wazo) throws {
    (database, scratch) = (try TestDatabase(template), try Scratch())
    // As it is where Asterisk wrote the rows.
    try database.psql("SELECT setval('cel_id_seq', (SELECT coalesce(max(id), 1) FROM cel))")
    try database.psql(
      "UPDATE cel SET extra = replace(extra, '/var/lib/wazo/sounds/tenants', '\(scratch.path)/recordings') WHERE extra LIKE '%/tenants/%'"
    )
    let outcome = try database.run("backfill", environment: ["WAZO_CALL_LOGS_CHECKPOINT_DIR": scratch.path])
    #expect(outcome.status == 0, "\(outcome.errors)")
    for path in try Archived.paths(database) + ["\(scratch.path)/recordings/kept.wav"] {
      _ = scratch.file(String(path.dropFirst(scratch.path.count + 1)), "audio of \(path)")
    }
    before = try Archived.rows(database)
  }

  /// The settings of every run.
  var environment: [String: String] {
    ["WAZO_CALL_LOGS_CHECKPOINT_DIR": scratch.path, "WAZO_CALL_LOGS_RECORDINGS_DIR": recordings]
  }

  func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
    try database.start(arguments, environment: self.environment.merging(environment) { $1 }).finish()
  }

  /// The paths that recordings have.
  static func paths(_ database: TestDatabase) throws -> [String] {
    try database.psql("SELECT DISTINCT path FROM call_logd_recording WHERE path IS NOT NULL ORDER BY path").split(separator: "\n")
      .map(String.init)
  }

  /// Every file in the recordings folder.
  func audio() throws -> Set<String> {
    Set(try Program.bash("find '\(recordings)' -type f").text.split(separator: "\n").map(String.init))
  }

  func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
    try run(arguments, environment: environment)
  }

  /// What the tables hold, to the byte.
  static func rows(_ database: TestDatabase) throws -> String {
    try database.psql(
      ["call_logd_call_log", "call_logd_call_log_participant", "call_logd_call_log_destination", "call_logd_recording", "cel"].map
      {
        "SELECT '\($0)', count(*), md5(string_agg(to_jsonb(t)::text, E'\\n' ORDER BY to_jsonb(t)::text COLLATE \"C\")) FROM \($0) t"
      }.joined(separator: " UNION ALL "))
  }

  /// Whether any part is complete.
  func hasParts() throws -> Bool {
    guard FileManager.default.fileExists(atPath: folder) else { return false }
    return try !ArchiveFolder(folder).contents().parts.isEmpty
  }

  /// Rows in the archive and the table, of call logs and of CELs.
  func union() throws -> [Int] {
    var counts = [try database.count("call_logd_call_log"), try database.count("cel")]
    guard try hasParts() else { return counts }
    for entry in try ArchiveListing(folder: folder, kinds: ArchiveKind.allCases).run(verifies: true).parts {
      #expect(entry.fault == nil)
      counts[entry.part.kind == .cel ? 1 : 0] += entry.manifest?.rows ?? 0
    }
    return counts
  }
}
