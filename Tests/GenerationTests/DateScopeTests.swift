import CallLogs
import Store
import TestSupport
import Testing

@Suite("CELs of a range of dates")
struct DateScopeTests {
  private let calls = (1...5).map { "1714989\($0)00.\($0)" }

  /// Microseconds since 2000-01-01 of so many seconds after 2024-05-06 10:00 UTC.
  private func time(_ seconds: Double) -> Int64 { (1_714_989_600 - 946_684_800) * 1_000_000 + Int64(seconds * 1_000_000) }

  /// A call an hour from 10:00 on, ten CELs each, in Wazo's table or in a plain one.
  private func hourly(plain: Bool = false) throws -> (TestDatabase, Runner) {
    let database = try TestDatabase(plain ? .plain : .wazo)
    for (hour, call) in calls.enumerated() { try database.insert(CELRow.call(call, at: Double(hour) * 3600), plain: plain) }
    return (database, Runner(database, table: plain ? "asterisk.cel" : "cel"))
  }

  @Test("takes the ids between the least and the greatest CEL in it, half-open")
  func halfOpen() throws {
    let (database, runner) = try hourly()
    try runner.generate(.dates(from: time(3600), to: time(7200)))
    #expect(try database.coverage() == "{[11,21)}")
    #expect(try database.conversations() == [calls[1]])
    // The first CEL of call 3 is at 7200; call 4's end is cut off, so the chunk with its last CEL
    // will make it.
    try runner.generate(.dates(from: time(7200), to: time(10_805)))
    #expect(try database.coverage() == "{[11,36)}")
    #expect(try database.conversations() == Array(calls[1...2]))
    #expect(try runner.generate(.dates(from: time(3605), to: time(7200))).chunks == 0)
    try runner.generate(.dates(from: time(10_800), to: nil))
    try runner.generate(.dates(from: nil, to: time(3600)))
    #expect(try database.conversations() == calls)
    try expectWhole(database)
  }

  @Test("where nothing lies, nothing is done; rows without a time lie nowhere")
  func empty() throws {
    let (database, runner) = try hourly()
    try database.run("UPDATE cel SET eventtime = 'infinity' WHERE id = 50; UPDATE cel SET eventtime = '-infinity' WHERE id = 1")
    for (from, to) in [(time(100_000), nil), (nil, time(-100)), (time(20), time(3600)), (time(3600), time(3600))] {
      #expect(try runner.generate(.dates(from: from, to: to)).chunks == 0)
    }
    try runner.generate(.dates(from: nil, to: nil))
    #expect(try database.coverage() == "{[2,50)}")
  }

  /// Zones in which the wall clock is read, and by how much the instant is later than the same
  /// clock in UTC.
  private static let zones: [(String?, Double)] = [(nil, 0), ("Asia/Tokyo", -9 * 3600), ("America/Los_Angeles", 7 * 3600)]

  @Test("reads the clock in cel_time_zone as reading does, with zone and without", arguments: zones, [true, false])
  func zone(zone: (name: String?, shift: Double), plain: Bool) throws {
    var (database, runner) = try hourly(plain: plain)
    try database.run("ALTER DATABASE \(database.name) SET timezone = 'UTC'")
    runner.settings.celTimeZone = zone.name
    try runner.generate(.dates(from: time(3600 + zone.shift), to: time(7200 + zone.shift)))
    #expect(try database.conversations() == [calls[1]])
    // What is deleted by the same dates is what was made.
    #expect(try runner.delete(.dates(from: time(3601 + zone.shift), to: nil)) == 0)
    #expect(try runner.delete(.dates(from: time(3600 + zone.shift), to: time(3600 + zone.shift) + 1)) == 1)
  }

  @Test("reads texts as reading does", arguments: ["text", "varchar(40)"])
  func texts(type: String) throws {
    let (database, runner) = try hourly()
    try database.run(
      """
      ALTER TABLE cel ALTER eventtime TYPE \(type) USING to_char(eventtime AT TIME ZONE 'Asia/Tokyo', 'YYYY-MM-DD HH24:MI:SS+09');
      UPDATE cel SET eventtime = extract(epoch FROM eventtime::timestamptz)::text WHERE id BETWEEN 11 AND 15;
      UPDATE cel SET eventtime = '2024-02-30 25:00' WHERE id = 50;
      """)
    try runner.generate(.dates(from: time(3600), to: time(7200)))
    #expect(try database.coverage() == "{[11,21)}")
    try runner.generate(.dates(from: time(7200), to: nil))
    #expect(try database.coverage() == "{[11,50)}")
    try runner.generate(.days(1))
    #expect(try database.coverage() == "{[11,50)}")
  }

  @Test("-d N reads the clock in cel_time_zone too", arguments: [true, false])
  func lastDays(plain: Bool) throws {
    var (database, runner) = try hourly(plain: plain)
    // Clocks of Los Angeles: what they showed 20 hours ago looks 27 hours old, or 28, in UTC.
    try database.run(
      """
      ALTER DATABASE \(database.name) SET timezone = 'UTC'; SET timezone = 'UTC';
      UPDATE \(runner.settings.celTable) SET eventtime = (now() AT TIME ZONE 'America/Los_Angeles') - CASE WHEN id <= 40 THEN interval '26 hours' ELSE interval '20 hours' END
      """)
    try runner.generate(.days(1))
    #expect(try database.conversations() == [])
    runner.settings.celTimeZone = "America/Los_Angeles"
    try runner.generate(.days(1))
    #expect(try database.coverage() == "{[41,51)}")
    try runner.generate(.days(2))
    #expect(try database.coverage() == "{[1,51)}")
    #expect(try runner.generate(.days(Int.max)).chunks == 0)
  }
}
