import Foundation
import Testing

/// The whole size, 1,000,000 events, takes minutes in a debug build: `MEMORY_EVENTS=1000000` does
/// it.
private let events = ProcessInfo.processInfo.environment["MEMORY_EVENTS"].flatMap { Int($0) } ?? 60_000

@Suite("Memory")
struct MemoryTests {
  /// MiB that a run takes that has nothing long or open to keep.
  private static let usual = Result {
    let database = try TestDatabase(.bare)
    try calls(events / 10, at: "call", in: database)
    return try peak(of: database)
  }

  @Test("one conversation takes at most 200 bytes per event of it, and 200 MB in all else")
  func long() throws {
    let database = try TestDatabase(.bare)
    try database.psql(
      """
      INSERT INTO cel \(MemoryTests.columns)
      SELECT CASE n WHEN 0 THEN 'CHAN_START' WHEN \(events - 2) THEN 'CHAN_END' WHEN \(events - 1) THEN 'LINKEDID_END'
               ELSE ('{BRIDGE_ENTER,BRIDGE_EXIT,HOLD,UNHOLD,APP_START}'::text[])[n % 5 + 1] END,
             '2026-01-01Z'::timestamptz + n * interval '10 ms', \(MemoryTests.rest), 'PJSIP/a-1', '1767225600.1', '1767225600.1',
             '{"bridge_id":"3f1c9b0e-7d0e-4c56-9d8e-1ab0a4a4c0aa","bridge_technology":"simple_bridge"}'
      FROM generate_series(0, \(events - 1)) n
      """)
    let peak = try MemoryTests.peak(of: database)
    #expect(try database.count("call_logd_call_log") == 1)
    #expect(try database.count("cel WHERE call_log_id IS NULL") == 0)
    let mine = Double(200 * events) / 1_048_576
    #expect(peak <= 190 + mine)
    // At this size 200 MB alone would hide a program that keeps ten times as much.
    #expect(try peak <= MemoryTests.usual.get() + mine + 20)
  }

  @Test("calls that are open across many chunks take no memory")
  func open() throws {
    let database = try TestDatabase(.bare)
    try MemoryTests.calls(events / 10, at: "event", in: database)
    let peak = try MemoryTests.peak(of: database)
    #expect(try database.count("call_logd_call_log") == events / 10)
    #expect(try database.count("call_logd_reach") == 0)
    #expect(peak <= 190)
    #expect(try peak <= MemoryTests.usual.get() + 20)
  }

  private static let columns =
    """
    (eventtype, eventtime, userdeftype, cid_name, cid_num, cid_ani, cid_rdnis, cid_dnid, exten, context, appname, appdata, amaflags,
     accountcode, peeraccount, userfield, peer, channame, uniqueid, linkedid, extra)
    """
  private static let rest = "'', 'Ann', '101', '', '', '', '102', 'x', '', '', 3, '', '', '', ''"

  /// Calls of ten events: in the order of the calls, or of the events, so that all calls are open
  /// at once.
  private static func calls(_ count: Int, at order: String, in database: TestDatabase) throws {
    try database.psql(
      """
      INSERT INTO cel \(columns)
      SELECT name, '2026-01-01Z'::timestamptz + event * interval '1 h' + call * interval '10 ms', \(rest), 'PJSIP/l' || call || '-1',
             '1767225600.' || call || CASE WHEN second THEN 'b' ELSE '' END, '1767225600.' || call, NULL
      FROM generate_series(1, \(count)) call, (VALUES (1, 'CHAN_START', false), (2, 'APP_START', false), (3, 'CHAN_START', true),
        (4, 'ANSWER', true), (5, 'ANSWER', false), (6, 'BRIDGE_ENTER', true), (7, 'BRIDGE_ENTER', false), (8, 'CHAN_END', true),
        (9, 'CHAN_END', false), (10, 'LINKEDID_END', false)) events (event, name, second)
      ORDER BY \(order), event, call
      """)
  }

  /// The most memory that a backfill ever had resident, MiB.
  private static func peak(of database: TestDatabase) throws -> Double {
    let run = try database.start(["backfill"])
    var peak = 0.0
    while run.isRunning {
      peak = max(peak, run.peakMemory ?? 0)
      Thread.sleep(forTimeInterval: 0.005)
    }
    let outcome = try run.finish()
    #expect(outcome.status == 0, "\(outcome.errors)")
    print("peak memory of \(database.name): \(peak) MiB")
    return peak
  }
}
