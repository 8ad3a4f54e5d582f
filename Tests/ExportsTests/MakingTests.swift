import Exports
import Foundation
import PostgreSQL
import TestSupport
import Testing
import Values

@Suite("The file of an export")
struct MakingTests {
  @Test("has the audio of every recording, byte by byte, and only its owner can read it")
  func content() throws {
    let scene = try Scene()
    var random = Seeded()
    var expected: [String: Data] = [:]
    for id in 1...12 {
      try scene.addCallLog(id)
      for number in 0..<random.below(4) {
        let length = random.pick([0, 1, 1000, 131_072, 131_073, 400_000])
        let content =
          random.oneIn(2)
          ? Data(repeating: 7, count: length) : Data((0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        expected[try scene.addRecording(id * 100 + number, callLog: id, content)] = content
      }
    }
    expected[try scene.addRecording(5000, callLog: 1)] = Data("12345".utf8)
    let export = try #require(try scene.request())
    #expect(try scene.steps().next() == made(export.uuid))
    #expect(try scene.members(export.uuid) == expected, "\(random)")
    let stored = try scene.read(export.uuid)
    #expect(stored.status == .finished && stored.path == Array("\(scene.settings.folder)/\(export.uuid).zip".utf8))
    #expect(
      try scene.has(mode: 0o700, scene.settings.folder) && scene.has(mode: 0o600, "\(scene.settings.folder)/\(export.uuid).zip"))
    #expect(try scene.steps().next().isIdle)
  }

  private func made(_ uuid: UUIDValue) -> ExportSteps.Outcome {
    var outcome = ExportSteps.Outcome()
    outcome.made = uuid
    return outcome
  }

  @Test("has more recordings than one page of the list")
  func pages() throws {
    let scene = try Scene()
    try scene.addCallLog(1)
    try Data("12345".utf8).write(to: URL(fileURLWithPath: scene.audio + "/a.wav"))
    try scene.database.run(
      """
      INSERT INTO call_logd_recording (start_time, end_time, path, call_log_id)
      SELECT '2026-03-02Z', '2026-03-02Z', '\(scene.audio)/a.wav', 1 FROM generate_series(1, 1001)
      """)
    let export = try #require(try scene.request())
    #expect(try scene.steps().next().made == export.uuid)
    #expect(try scene.members(export.uuid).count == 1001)
  }

  @Test("is not made for rows that another program stored")
  func others() throws {
    let scene = try Scene()
    try scene.addCallLog(1)
    let sql = "uuid::text, status, path FROM call_logd_export ORDER BY uuid"
    for (number, status) in ["pending", "processing", "finished", "error", "deleted"].enumerated() {
      try scene.database.run(
        """
        INSERT INTO call_logd_export VALUES ('\(Scene.uuid(number))', '\(Scene.tenant)', '\(Scene.user)', '2020-01-01Z', '\(status)')
        """)
    }
    let before = try scene.database.rows(sql)
    #expect(try scene.steps().next().isIdle)
    #expect(try scene.steps().purge() == [])
    #expect(try scene.database.rows(sql) == before)
  }

  @Test(
    "is not made where one recording has no readable file, and nothing of it stays",
    arguments: ["missing", "unreadable", "outside", "forgotten", "gone", "folder"])
  func errors(what: String) throws {
    let scene = try Scene()
    try scene.addCallLog(1)
    for number in 0..<5 { try scene.addRecording(100 + number, callLog: 1) }
    let export = try #require(try scene.request(email: "a@example.com"))
    let path = scene.audio + "/103.wav"
    switch what {
    case "missing": try FileManager.default.removeItem(atPath: path)
    case "unreadable": #expect(chmod(path, 0) == 0)
    case "outside":
      try scene.database.run("UPDATE call_logd_recording SET path = '/etc/hostname' WHERE path = '\(path)'")
    case "forgotten": try scene.database.run("UPDATE call_logd_recording SET path = NULL WHERE path = '\(path)'")
    case "gone": try scene.database.run("DELETE FROM call_logd_recording WHERE path = '\(path)'")
    default: try Data().write(to: URL(fileURLWithPath: scene.settings.folder))
    }
    if what != "folder" {
      try FileManager.default.createDirectory(atPath: scene.settings.folder, withIntermediateDirectories: true)
    }
    chmod(scene.settings.folder, 0o777)
    #expect(try asNobody { try scene.steps().next() }.failed == export.uuid)
    let stored = try scene.read(export.uuid)
    #expect(stored.status == .error && stored.path == nil && scene.files().isEmpty)
    #expect(try scene.database.value("mail, email, error IS NOT NULL FROM call_logd_export_request") == "none|∅|true")
    #expect(scene.recorder.warnings.count == 1)
    #expect(try scene.steps().next().isIdle)
  }

  private struct Fault: Error {}

  @Test("is whole after an error or a kill at any moment, and is made again until then", arguments: ExportSteps.Moment.allCases)
  func faults(at moment: ExportSteps.Moment) throws {
    guard moment != .mailSent else { return }
    let scene = try Scene()
    let uuid = try scene.simpleRequest()
    let connection = try scene.database.connect()
    let steps = scene.steps(on: connection) { if $0 == moment { throw Fault() } }
    #expect(throws: Fault.self) { try steps.next() }
    connection.close()
    #expect(try scene.read(uuid).status == (moment == .finished ? .finished : .processing))
    // What a killed process leaves.
    try FileManager.default.createDirectory(atPath: scene.settings.folder, withIntermediateDirectories: true)
    try Data("half".utf8).write(to: URL(fileURLWithPath: "\(scene.settings.folder)/.\(uuid).zip.17"))
    if moment != .finished {
      #expect(try scene.steps().next().made == uuid)
      #expect(scene.files() == ["\(uuid).zip"])
    }
    #expect(try scene.members(uuid).count == 1 && scene.read(uuid).status == .finished)
  }

  @Test("is given up when it was begun too often, but a stop of the service does not count")
  func attempts() throws {
    let scene = try Scene()
    let uuid = try scene.simpleRequest()
    for _ in 0..<20 {
      let interruption = Interruption()
      _ = try scene.steps(interruption: interruption) { if $0 == .begun { interruption.request() } }.next()
      #expect(try scene.read(uuid).status == .processing)
    }
    for _ in 0..<scene.settings.mostAttempts {
      #expect(throws: Fault.self) { try scene.steps { if $0 == .written { throw Fault() } }.next() }
    }
    #expect(try scene.steps().next().failed == uuid)
    #expect(try scene.read(uuid).status == .error)
  }

  @Test("is made once, however many services there are")
  func several() throws {
    let scene = try Scene()
    try scene.addCallLog(1)
    try scene.addRecording(100, callLog: 1, Data(repeating: 1, count: 200_000))
    let exports = try (0..<12).map { _ in try #require(try scene.request()).uuid }
    let (made, begun) = (Locked<[UUIDValue]>([]), Locked(0))
    let shared = Locked(scene)
    let errors = atOnce(
      (0..<3).map { _ in
        {
          let connection = try shared.with { try $0.database.connect() }
          defer { connection.close() }
          let steps = shared.with { $0.steps(on: connection) { if $0 == .begun { begun.with { $0 += 1 } } } }
          while true {
            let outcome = try steps.next()
            if let uuid = outcome.made { made.with { $0.append(uuid) } }
            if outcome.isIdle { return }
          }
        }
      })
    #expect(errors.isEmpty && made.with { $0.sorted() } == exports.sorted() && begun.with { $0 } == 12)
    for uuid in exports { #expect(try scene.members(uuid).count == 1) }
  }

  @Test("is removed when its export was deleted meanwhile")
  func deleted() throws {
    let scene = try Scene()
    let uuid = try scene.simpleRequest()
    let steps = scene.steps { if $0 == .written { try scene.database.run("DELETE FROM call_logd_tenant") } }
    #expect(try steps.next().failed == uuid)
    #expect(scene.files().isEmpty)
  }
}
