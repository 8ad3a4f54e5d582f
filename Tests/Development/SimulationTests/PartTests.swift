import Testing

@testable import Simulation

@Suite("Parts of the simulation")
struct PartTests {
  @Test(
    "ISO dates and times are read, with and without T and Z",
    arguments: [
      ("1970-01-01", 0), ("2026-11-01", 1_793_491_200), ("2026-03-02T08:00", 1_772_438_400),
      ("2026-03-02 08:00:30", 1_772_438_430), ("2024-02-29T23:59:59Z", 1_709_251_199), ("9999-12-31", 253_402_214_400),
    ])
  func readsISO(text: String, seconds: Int64) {
    #expect(SimulatedTime.microseconds(fromISO: text) == seconds * 1_000_000)
  }

  @Test(
    "what is no moment is not read",
    arguments: [
      "", "now", "2026", "2026-3-2", "2026-02-29", "2026-13-01", "2026-00-10", "2026-01-01T24:00", "2026-01-01T10:60",
      "2026-01-01T1000", "2026-01-01T10:00:00.5", "2026/01/01", "2026-01-01+02",
    ])
  func refusesISO(text: String) {
    #expect(SimulatedTime.microseconds(fromISO: text) == nil)
  }

  @Test("a time written is the time read, to the microsecond", arguments: [1, 2, 3] as [UInt64])
  func timestampsRoundTrip(seed: UInt64) throws {
    var random = RandomSource(seed: seed)
    var writer = TimestampWriter()
    for _ in 0..<500 {
      let time = Int64(random.below(Int(SimulatedTime.endOfYear9999 / 1000))) * 1000 + Int64(random.below(3))
      var bytes: [UInt8] = []
      writer.append(time, to: &bytes)
      var row = CELRow(fields: CELRow.columns.map { _ in nil })
      row.fields[2] = String(decoding: bytes, as: UTF8.self)
      #expect(row.time == time, "seed \(seed)")
    }
  }

  @Test("fractions of a second lose their trailing zeros, as in PostgreSQL")
  func fractions() {
    func text(_ time: Int64) -> String {
      var writer = TimestampWriter()
      var bytes: [UInt8] = []
      writer.append(time, to: &bytes)
      return String(decoding: bytes, as: UTF8.self)
    }
    #expect(text(1_772_438_400_006_740) == "2026-03-02 08:00:00.00674+00")
    #expect(text(1_772_438_400_500_000) == "2026-03-02 08:00:00.5+00")
    #expect(text(1_772_438_400_000_000) == "2026-03-02 08:00:00+00")
  }

  @Test("the queue gives entries by time, then by call", arguments: [1, 2, 3] as [UInt64])
  func queueOrder(seed: UInt64) {
    var random = RandomSource(seed: seed)
    var queue = CallQueue()
    let entries = (0..<300).map { CallQueue.Entry(time: Int64(random.below(50)), call: $0, slot: 0) }
    for entry in entries.shuffled(using: &random) { queue.push(entry) }
    var given: [CallQueue.Entry] = []
    while let first = queue.first, let entry = queue.pop() {
      #expect(first.call == entry.call)
      given.append(entry)
    }
    #expect(given.map(\.call) == entries.sorted { $0 < $1 }.map(\.call), "seed \(seed)")
  }

  @Test("calls arrive in order, all of them, within the period", arguments: [nil, 1, 500])
  func arrivals(concurrentCalls: Int?) {
    let options = SimulationOptions(calls: 5000, until: november, concurrentCalls: concurrentCalls)
    var random = RandomSource(seed: 1)
    var arrivals = Arrivals(options)
    var times: [Int64] = []
    while let time = arrivals.next(using: &random) { times.append(time) }
    #expect(times.count == 5000)
    #expect(times == times.sorted())
    #expect(times.allSatisfy(options.startPeriod.contains))
  }

  @Test("the shares of the kinds make a thousand")
  func shares() {
    #expect(CallKind.allCases.reduce(0) { $0 + $1.share } == 1000)
  }

  @Test("text is escaped for where it goes")
  func escapes() {
    let name = Array("Zoé \"Z\" O'Neil, Jr.\\".utf8)
    func text(_ template: Template) -> String { String(decoding: template.bytes, as: UTF8.self) }
    #expect(text("\(json: name)") == #"Zoé \"Z\" O'Neil, Jr.\\"#)
    #expect(text("\(sql: name)") == #"Zoé "Z" O''Neil, Jr.\"#)
    #expect(text("\(percent: name)") == "Zo%C3%A9%20%22Z%22%20O%27Neil%2C%20Jr.%5C")
  }

  @Test("random UUIDs are of version 4 and differ")
  func uuids() {
    var random = RandomSource(seed: 9)
    let uuids = (0..<1000).map { _ in String(decoding: random.uuid(), as: UTF8.self) }
    #expect(Set(uuids).count == 1000)
    for uuid in uuids {
      #expect(uuid.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
    }
  }
}
