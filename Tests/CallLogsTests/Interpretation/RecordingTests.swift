import Testing

@testable import CallLogs
@testable import Values

@Suite("Recordings")
struct RecordingTests {
  private let mira = Stage.mira
  private let noor = Stage.noor
  private let arena = TextArena()
  private let first = "5a7d10c2-91be-4c3f-9d02-6f1e8b2c7a55"
  private let bridge = Row("BRIDGE_ENTER", Stage.mira, 2, extra: Stage.bridge)

  private func start(_ channel: Channel, _ seconds: Double, _ path: String, id: String = "0xa1") -> Row {
    Row("MIXMONITOR_START", channel, seconds, extra: Stage.recording(path, id: id))
  }

  private func stop(_ channel: Channel, _ seconds: Double, id: String = "0xa1") -> Row {
    Row("MIXMONITOR_STOP", channel, seconds, extra: "{\"mixmonitor_id\":\"\(id)\"}")
  }

  private func recordings(_ rows: [Row]) throws -> [PlainCallLog.Recording] {
    try interpret(Stage.callToNoor([bridge] + rows)).only().recordings
  }

  @Test("uuid from the path where Wazo keeps recordings")
  func uuidFromPath() throws {
    let path = Stage.path(first)
    #expect(try recordings([start(mira, 3, path), stop(mira, 9)]) == [.init(uuid: first, start: 3, end: 9, path: path)])
    #expect(RecordingPath.uuid(arena.text("\(path).part")).map { $0.description } == first)
  }

  @Test("every variant that the pattern of paths allows is read")
  func variants() {
    for variant in "089ab" {
      let uuid = "5a7d10c2-91be-0c3f-\(variant)d02-6f1e8b2c7a55"
      #expect(RecordingPath.uuid(arena.text(Stage.path(uuid)))?.description == uuid)
    }
  }

  @Test(
    "other paths name no uuid",
    arguments: [
      "/tmp/5a7d10c2-91be-4c3f-9d02-6f1e8b2c7a55.wav",
      " /var/lib/wazo/sounds/tenants/7a11e500-0000-4000-8000-000000000001/monitor/5a7d10c2-91be-4c3f-9d02-6f1e8b2c7a55.wav",
      "/var/lib/wazo/sounds/tenants/7A11E500-0000-4000-8000-000000000001/monitor/5a7d10c2-91be-4c3f-9d02-6f1e8b2c7a55.wav",
      "/var/lib/wazo/sounds/tenants/7a11e500-0000-4000-8000-000000000001/monitor/5a7d10c2-91be-4c3f-9d02-6f1e8b2c7a5.wav",
      "/var/lib/wazo/sounds/tenants/7a11e500-0000-4000-8000-000000000001/monitor/5a7d10c2-91be-6c3f-9d02-6f1e8b2c7a55.wav",
      "/var/lib/wazo/sounds/tenants/7a11e500-0000-4000-8000-000000000001/monitor/5a7d10c2-91be-4c3f-cd02-6f1e8b2c7a55.wav",
      "/var/lib/wazo/sounds/tenants/7a11e500-0000-4000-8000-000000000001/monitor/5a7d10c2-91be-4c3f-9d02-6f1e8b2c7a55.mp3",
      "",
    ])
  func otherPaths(path: String) {
    #expect(RecordingPath.uuid(arena.text(path)) == nil)
  }

  @Test("another path gets a uuid that is always the same for this call and path")
  func derivedUUID() throws {
    let rows = [start(mira, 3, "/tmp/a.wav", id: "1"), start(noor, 4, "/tmp/b.wav", id: "2")]
    let made = try recordings(rows)
    #expect(made.count == 2)
    #expect(Set(made.map(\.uuid)).count == 2)
    #expect(try recordings(rows) == made)
    #expect(made.allSatisfy { $0.uuid.dropFirst(14).first == "8" })
  }

  @Test("recordings of one uuid are one: paused and resumed, first start and last end")
  func paused() throws {
    let path = Stage.path(first)
    let rows = [start(mira, 3, path, id: "1"), stop(mira, 9, id: "1"), start(mira, 12, path, id: "2"), stop(mira, 20, id: "2")]
    #expect(try recordings(rows) == [.init(uuid: first, start: 3, end: 20, path: path)])
  }

  @Test("recordings of one uncommon path are one too, on whichever channels")
  func pausedElsewhere() throws {
    let rows = [start(noor, 3, "/tmp/a.wav", id: "1"), stop(noor, 9, id: "1"), start(mira, 12, "/tmp/a.wav", id: "2")]
    let made = try recordings(rows)
    #expect(made.map(\.start) == [3])
    #expect(made.map(\.end) == [60])
  }

  @Test("a stop ends the recording of its id on whichever channel it began, and its end is final")
  func stopElsewhere() throws {
    #expect(try recordings([start(noor, 3, "/tmp/a.wav"), stop(mira, 9)]).map(\.end) == [9])
    #expect(try recordings([start(mira, 3, "/tmp/a.wav"), stop(noor, 9)]).map(\.end) == [9])
    #expect(try recordings([start(mira, 3, "/tmp/a.wav", id: "1"), stop(noor, 9, id: "2")]).map(\.end) == [60])
  }

  @Test("a stop ends only what began before it")
  func reusedID() throws {
    let rows = [start(mira, 3, "/tmp/a.wav"), stop(mira, 9), start(mira, 10, "/tmp/b.wav"), stop(mira, 15)]
    #expect(try recordings(rows).map(\.end) == [9, 15])
    #expect(try recordings([stop(mira, 2.5), start(mira, 3, "/tmp/a.wav")]).map(\.end) == [60])
  }

  @Test("without a stop: the end of the caller's channel, or of a callee's that ends later")
  func withoutStop() throws {
    #expect(try recordings([start(mira, 3, "/tmp/a.wav")]).map(\.end) == [60])
    #expect(try recordings([start(noor, 3, "/tmp/a.wav")]).map(\.end) == [59])
    let later = Row("CHAN_END", noor, 70)
    #expect(try recordings([start(mira, 3, "/tmp/a.wav"), later]).map(\.end) == [70])
  }

  @Test("a recording that nothing ends is none")
  func endless() throws {
    let rows = conversation([
      Row("CHAN_START", mira, 0, "M <201>", "202@floor"), bridge, start(mira, 3, "/tmp/a.wav"), Row("LINKEDID_END", mira, 9),
    ])
    #expect(try interpret(rows).only().recordings.isEmpty)
  }

  @Test("recordings of a call that nobody answered are none")
  func unanswered() throws {
    let rows = [start(mira, 3, "/tmp/a.wav"), stop(mira, 5)]
    #expect(try interpret(Stage.callToNoor(rows)).only().recordings.isEmpty)
    let entered = try interpret(Stage.callToNoor(rows + [Row("BRIDGE_ENTER", noor, 4)])).only()
    #expect(entered.dateAnswer == nil)
    #expect(entered.recordings.count == 1)
  }

  @Test(
    "a recording event that lacks what it needs is skipped and counted",
    arguments: [
      #"{"filename":"/tmp/a.wav"}"#, #"{"mixmonitor_id":"1"}"#, #"{"filename":"","mixmonitor_id":"1"}"#,
      #"{"filename":"/tmp/a.wav","mixmonitor_id":""}"#, #"{"filename":7,"mixmonitor_id":"1"}"#, "[1]", "3", "\"text\"",
    ])
  func unusable(extra: String) throws {
    let result = interpret(
      Stage.callToNoor([bridge, Row("MIXMONITOR_START", mira, 3, extra: extra), start(mira, 4, "/tmp/b.wav")]))
    #expect(try result.only().recordings.map(\.path) == ["/tmp/b.wav"])
    #expect(result.tally[.unexpectedPayload] == 1)
  }

  @Test("a recording whose uuid another call has gets a derived one, always the same")
  func takenUUID() throws {
    var batch = CELBatch()
    var tally = Tally()
    let scratch = TextArena()
    let rows = Stage.callToNoor([bridge, start(mira, 3, Stage.path(first)), start(mira, 4, "/tmp/b.wav", id: "2")])
    for row in rows { batch.append(row.columns(scratch), tally: &tally) }
    var grouping = Grouping()
    grouping.group(batch)
    var interpreter = Interpreter(directory: House.directory, defaultTenant: uuid(House.masterTenant))
    var logs = CallLogBatch()
    _ = interpreter.interpret(group: 0, of: grouping, in: batch, into: &logs)
    let before = logs.recordings.map(\.uuid)
    #expect(logs.deriveUUIDs(ofCallLog: 0) { $0 == uuid(first) } == 1)
    #expect(logs.recordings[0].uuid != before[0])
    #expect(logs.recordings[1].uuid == before[1])
    withExtendedLifetime(batch) {}
  }

  @Test("a stop on a channel without CHAN_START is not read")
  func stopUnread() throws {
    let stranger = Channel("PJSIP/zz9-000000aa", 99)
    let made = try recordings([start(mira, 3, "/tmp/a.wav"), stop(stranger, 5)])
    #expect(made.count == 1)
    #expect(made.first?.end != 5)
  }
}
