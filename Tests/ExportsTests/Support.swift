import Exports
import Foundation
import Listing
import Logging
import PostgreSQL
import Store
import TestSupport
import Values

/// A database with call logs, and folders of audio and of exports.
final class Scene {
  let database: TestDatabase
  let root = FileManager.default.temporaryDirectory.appendingPathComponent("exports-\(UUID().uuidString)").path
  var audio: String { root + "/audio" }
  var settings: ExportSettings
  let recorder = LogRecorder()
  static let tenant = uuid(1)
  static let user = uuid(2)

  init(_ kind: TestDatabase.Kind = .empty) throws {
    database = try TestDatabase(kind)
    try Migrator(database.admin).migrate(program: "tests")
    settings = ExportSettings(folder: root + "/exports", recordingsFolder: root + "/audio")
    try FileManager.default.createDirectory(atPath: root + "/audio", withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  static func uuid(_ number: Int) -> UUIDValue { UUIDValue(high: 0x77, low: UInt64(number)) }

  func addCallLog(_ id: Int, tenant: UUIDValue = Scene.tenant, isBlocked: Bool = false) throws {
    try database.run(
      """
      INSERT INTO call_logd_tenant VALUES ('\(tenant)') ON CONFLICT DO NOTHING;
      INSERT INTO call_logd_call_log (id, date, tenant_uuid, blocked) VALUES (\(id), '2026-03-02Z', '\(tenant)', \(isBlocked));
      """)
  }

  /// Adds a recording with a file, and gives the member's name.
  @discardableResult
  func addRecording(_ number: Int, callLog: Int, _ content: Data = Data("12345".utf8)) throws -> String {
    let path = "\(audio)/\(number).wav"
    try content.write(to: URL(fileURLWithPath: path))
    return try addRecording(number, callLog: callLog, path: path)
  }

  @discardableResult
  func addRecording(_ number: Int, callLog: Int, path: String?) throws -> String {
    try database.run(
      """
      INSERT INTO call_logd_recording (uuid, start_time, end_time, path, call_log_id)
      VALUES ('\(Scene.uuid(number))', '2026-03-02 08:00:03.9Z', '2026-03-02 08:01:00Z', \(path.map { "'\($0)'" } ?? "NULL"), \(callLog))
      """)
    return "\(callLog)/2026-03-02T08_00_03UTC-\(callLog)-\(Scene.uuid(number)).wav"
  }

  func request(
    _ selection: CallLogSelection = CallLogSelection(), visible: VisibleTenants = .all, email: String? = nil
  ) throws -> ExportRecord? {
    try ExportRequest(
      selection, visible: visible, tenant: Scene.tenant, user: Scene.user, email: email, baseURL: "https://pbx.example.com/1.0"
    ).store(on: database.admin)
  }

  /// A request of one recording, which is number 100 of call log 1.
  func simpleRequest(email: String? = nil) throws -> UUIDValue {
    if try database.value("count(*) FROM call_logd_call_log") == "0" {
      try addCallLog(1)
      try addRecording(100, callLog: 1)
    }
    guard let export = try request(email: email) else { throw Missing(what: "the export") }
    return export.uuid
  }

  func steps(
    on connection: Connection? = nil, interruption: Interruption = Interruption(),
    reached: @escaping (ExportSteps.Moment) throws -> Void = { _ in },
    link: @escaping (ExportMail) throws -> String = { "\($0.baseURL)/exports/\($0.export.uuid)/download?token=secret-token" }
  ) -> ExportSteps {
    ExportSteps(
      settings, on: connection ?? database.admin, interruption: interruption, log: recorder.logger, reached: reached, link: link)
  }

  func read(_ uuid: UUIDValue) throws -> ExportRecord {
    guard let export = try ExportRecord.read(uuid, tenants: .all, on: database.admin) else { throw Missing(what: "the export") }
    return export
  }

  /// The names in the folder of exports.
  func files() -> [String] { ((try? FileManager.default.contentsOfDirectory(atPath: settings.folder)) ?? []).sorted() }

  /// The members of an export's file by Python's reader, which checks their checksums.
  func members(_ uuid: UUIDValue) throws -> [String: Data] {
    let script = """
      import base64, json, sys, zipfile
      z = zipfile.ZipFile(sys.argv[1])
      assert all(i.compress_type == zipfile.ZIP_DEFLATED for i in z.infolist())
      print(json.dumps([[i.filename, base64.b64encode(z.read(i)).decode()] for i in z.infolist()]))
      """
    let output = try python(script, "\(settings.folder)/\(uuid).zip")
    let pairs = try JSONDecoder().decode([[String]].self, from: output)
    return Dictionary(pairs.map { ($0[0], Data(base64Encoded: $0[1]) ?? Data()) }) { first, _ in first }
  }

  func has(mode: Int, _ path: String) throws -> Bool {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == mode
  }
}

struct Missing: Error { let what: String }

/// Runs a script of Python, and gives its output.
func python(_ script: String, _ arguments: String...) throws -> Data {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
  process.arguments = ["-c", script] + arguments
  let output = Pipe()
  process.standardOutput = output
  try process.run()
  let data = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  guard process.terminationStatus == 0 else { throw Missing(what: "an answer of Python") }
  return data
}
