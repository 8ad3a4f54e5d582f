import Foundation
import Generation
import Store
import TestSupport
import Testing

@Suite("The checkpoint file")
struct CheckpointMirrorTests {
  private func folder() -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("mirror-\(UUID().uuidString)").path
  }

  @Test("of a run that was quicker is no sign that the database went back in time; one that is ahead of the database is")
  func ahead() throws {
    var (database, runner) = try wazo(CELRow.call("1714989600.1"))
    let folder = folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let log = LogRecorder()
    (runner.settings.checkpointDirectory, runner.log) = (folder, log.logger)
    let slow = try runner.context()
    defer { slow.databases.close() }
    try runner.generate()
    _ = try GenerateJob(slow).run(.nightly)
    #expect(log.warnings.isEmpty, "\(log.warnings)")
    try database.run("UPDATE call_logd_checkpoint SET generation = 0")
    try runner.generate()
    #expect(log.warnings.count == 1)
    #expect(log.warnings.first?.contains("went back in time") == true)
    #expect(log.warnings.first?.contains("follows the database's coverage") == true)
  }
}
