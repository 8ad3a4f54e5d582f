import Foundation
import Recordings
import Store
import TestSupport
import Values

/// A database with call logs, and a folder with their audio beside one that is not theirs.
final class Scene {
  let database: TestDatabase
  let root = FileManager.default.temporaryDirectory.appendingPathComponent("recordings-\(UUID().uuidString)").path
  var folder: String { root + "/audio" }

  init() throws {
    database = try TestDatabase(.empty)
    try Migrator(database.admin).migrate(program: "tests")
    try put("audio/nobody's.wav")
    try put("elsewhere/a.wav")
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  static func uuid(_ number: Int) -> UUIDValue { UUIDValue(high: 0x77, low: UInt64(number)) }

  /// Makes a file, and gives its path.
  @discardableResult
  func put(_ name: String, _ content: String = "12345") throws -> String {
    let url = URL(fileURLWithPath: root + "/" + name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(content.utf8).write(to: url)
    return url.path
  }

  func has(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  func addCallLog(_ id: Int, tenant: UUIDValue, participants: [UUIDValue] = [], isBlocked: Bool = false) throws {
    try database.run(
      """
      INSERT INTO call_logd_tenant VALUES ('\(tenant)') ON CONFLICT DO NOTHING;
      INSERT INTO call_logd_call_log (id, date, tenant_uuid, blocked) VALUES (\(id), '2026-03-02Z', '\(tenant)', \(isBlocked));
      """)
    for (number, user) in participants.enumerated() {
      try database.run(
        """
        INSERT INTO call_logd_call_log_participant (call_log_id, user_uuid, role)
        VALUES (\(id), '\(user)', '\(number % 2 == 0 ? "source" : "destination")')
        """)
    }
  }

  func addRecording(_ uuid: UUIDValue, callLog: Int, path: String?) throws {
    let path = path.map { "'\($0.replacing("'", with: "''"))'" } ?? "NULL"
    try database.run(
      """
      INSERT INTO call_logd_recording (uuid, start_time, end_time, path, call_log_id)
      VALUES ('\(uuid)', '2026-03-02 08:00:03.9Z', '2026-03-02 08:01:00Z', \(path), \(callLog))
      """)
  }

  /// The stored path of a recording; nil for none.
  func path(of uuid: UUIDValue) throws -> String? {
    let value = try database.value("path FROM call_logd_recording WHERE uuid = '\(uuid)'")
    return value == "∅" ? nil : value
  }
}
