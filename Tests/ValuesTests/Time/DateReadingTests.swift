import TestSupport
import Testing
import Values

@Suite("Dates as people write them")
struct DateReadingTests {
  /// What an instant is in UTC, or what is wrong with the text.
  private func read(_ text: String, as bound: DateReading.Bound = .lower, in zone: String = "Europe/Paris") throws -> String {
    let zone = try #require(LocalZone(named: zone))
    do {
      return String(TimestampText.text(try DateReading.microseconds(text, as: bound, in: zone)).prefix(26)).replacing(
        ".000000", with: "")
    } catch let error {
      #expect(error.exitReason == .usage)
      return error.message
    }
  }

  @Test(
    "with an offset or without, to the minute, the second and below",
    arguments: [
      ("2025-03-01 10:00", "2025-03-01T09:00:00"), ("2025-03-01T10:00", "2025-03-01T09:00:00"),
      ("2025-07-01 10:00:05", "2025-07-01T08:00:05"), ("2025-03-01T10:00:00Z", "2025-03-01T10:00:00"),
      ("2025-03-01t10:00z", "2025-03-01T10:00:00"), ("2025-03-01 10:00+02:00", "2025-03-01T08:00:00"),
      ("2025-03-01T10:00:00+0200", "2025-03-01T08:00:00"), ("2025-03-01 10:00:00+02", "2025-03-01T08:00:00"),
      ("2025-03-01 10:00:00 -0330", "2025-03-01T13:30:00"), ("2025-03-01 00:30+05:45", "2025-02-28T18:45:00"),
      ("1900-01-01 00:00:00+00:09:21", "1899-12-31T23:50:39"), (" 2025-03-01 10:00Z ", "2025-03-01T10:00:00"),
      ("2025-03-01T10:00:00.25Z", "2025-03-01T10:00:00.250000"), ("2025-03-01T10:00:00.1234567Z", "2025-03-01T10:00:00.123456"),
      ("2024-02-29", "2024-02-28T23:00:00"), ("0001-01-01T00:00Z", "0001-01-01T00:00:00"),
      ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59"), ("2000-01-01T00:00Z", "2000-01-01T00:00:00"),
    ])
  func forms(text: String, utc: String) throws { #expect(try read(text) == utc) }

  @Test("a date alone is that whole day; with a time the upper bound is that time")
  func days() throws {
    #expect(try read("2025-03-01") == "2025-02-28T23:00:00")
    #expect(try read("2025-03-31", as: .upper) == "2025-03-31T22:00:00")
    #expect(try read("2025-03-31T00:00", as: .upper) == "2025-03-30T22:00:00")
    #expect(try read("0001-01-01", in: "UTC") == "0001-01-01T00:00:00")
    #expect(
      try DateReading.microseconds("9999-12-31", as: .upper, in: try #require(LocalZone(named: "UTC"))) == 252_455_616_000_000_000
    )
    // The day on which the clocks are changed is an hour shorter, or longer.
    #expect(try read("2025-03-30") == "2025-03-29T23:00:00" && read("2025-03-30", as: .upper) == "2025-03-30T22:00:00")
    #expect(try read("2025-10-26") == "2025-10-25T22:00:00" && read("2025-10-26", as: .upper) == "2025-10-26T23:00:00")
  }

  @Test("a day begins where its date begins, also without a midnight, or with two")
  func midnights() throws {
    // São Paulo went from 00:00 to 01:00, in 2018 for the last time.
    #expect(try read("2018-11-04", in: "America/Sao_Paulo") == "2018-11-04T03:00:00")
    #expect(try read("2018-11-03", as: .upper, in: "America/Sao_Paulo") == "2018-11-04T03:00:00")
    #expect(try read("2018-11-04 01:00", in: "America/Sao_Paulo") == "2018-11-04T03:00:00")
    // Back to 23:00 at midnight: the day before has 25 hours.
    #expect(try read("2018-02-18", in: "America/Sao_Paulo") == "2018-02-18T03:00:00")
    // Havana goes from 01:00 back to 00:00.
    #expect(try read("2024-11-03", in: "America/Havana") == "2024-11-03T04:00:00")
    // Samoa had no 30th of December in 2011.
    #expect(try read("2011-12-30", in: "Pacific/Apia") == read("2011-12-31", in: "Pacific/Apia"))
    #expect(try read("2011-12-29", as: .upper, in: "Pacific/Apia") == "2011-12-30T10:00:00")
  }

  @Test("a time that the clocks skip is refused, with the two ways to write it and what the clocks show then")
  func skipped() throws {
    let message = try read("2025-03-30 02:30")
    #expect(
      message == """
        2025-03-30 02:30 does not exist in Europe/Paris: the clocks are put forward from 02:00 to 03:00; write \
        2025-03-30T02:30:00+01:00 (when they show 03:30) or 2025-03-30T02:30:00+02:00 (when they show 01:30)
        """)
    #expect(try read("2025-03-30T02:30:00+01:00") == "2025-03-30T01:30:00")
    #expect(try read("2025-03-30 03:30") == "2025-03-30T01:30:00" && read("2025-03-30 01:30") == "2025-03-30T00:30:00")
    #expect(try read("2025-03-30 02:00").contains("does not exist") && read("2025-03-30 03:00") == "2025-03-30T01:00:00")
    #expect(try read("2018-11-04 00:00", in: "America/Sao_Paulo").contains("from 00:00 to 01:00"))
    #expect(try read("2025-10-05 02:15", in: "Australia/Lord_Howe").contains("from 02:00 to 02:30"))
    #expect(try read("2011-12-30 12:00", in: "Pacific/Apia").contains("2011-12-30T12:00:00-10:00"))
  }

  @Test("a time that comes twice is refused, with the way to write either")
  func repeated() throws {
    let message = try read("2025-10-26 02:30")
    #expect(
      message == """
        2025-10-26 02:30 comes twice in Europe/Paris, as the clocks are put back; write \
        2025-10-26T02:30:00+02:00 for the first or 2025-10-26T02:30:00+01:00 for the second
        """)
    #expect(try read("2025-10-26 02:00").contains("twice") && read("2025-10-26 03:00") == "2025-10-26T02:00:00")
    #expect(try read("2025-10-26 01:59:59") == "2025-10-25T23:59:59")
  }

  @Test(
    "nonsense is named",
    arguments: [
      ("2025-02-30", "that month has the days 01 to 28"), ("2024-02-30", "01 to 29"), ("1900-02-29", "01 to 28"),
      ("2025-04-31", "01 to 30"), ("2025-01-00", "01 to 31"), ("2025-13-01", "no month 13"), ("2025-00-01", "no month 0"),
      ("0000-01-01", "no year 0000"), ("2025-03-01 24:00", "no such time of day"), ("2025-03-01 10:60", "no such time of day"),
      ("2025-03-01 10:00:60", "no such time of day"), ("2025-03-01 10:00+16", "no offset +16"),
      ("2025-03-01 10:00-02:60", "no offset -02:60"), ("2025-03-01 10", "not a date or time"), ("2025-3-1", "not a date or time"),
      ("01.03.2025", "not a date or time"), ("yesterday", "not a date or time"), ("", "not a date or time"),
      ("2025-03-01 10:00 Europe/Paris", "not a date or time"), ("12025-03-01", "not a date or time"),
      ("2025-03-011", "not a date or time"),
      ("2025-03-01T", "not a date or time"), ("٢٠٢٥-03-01", "not a date or time"), ("2025-03-01Z", "not a date or time"),
    ])
  func nonsense(text: String, part: String) throws {
    let message = try read(text)
    #expect(message.contains(part) && message.contains(text.isEmpty ? "“”" : text), "\(message)")
  }

  private static let zones = [
    "Europe/Paris", "America/Sao_Paulo", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca",
    "Asia/Gaza",
    "America/Havana", "Asia/Kathmandu", "UTC",
  ]

  @Test("what the server's clock shows at any instant is read as that instant, or refused with a text that is", arguments: zones)
  func anyInstant(zone: String) throws {
    var random = Seeded()
    let local = try #require(LocalZone(named: zone))
    // Half of them in the nights in which the clocks are changed.
    let database = try TestDatabase(.empty)
    for _ in 0..<60 {
      let day = Int64.random(in: 6000..<19_000, using: &random)
      let instant = day * 86400 + Int64.random(in: 0..<86_400, using: &random)
      try check(instant, zone, local, database, "\(random)")
    }
    let changes = try database.rows(
      """
      extract(epoch FROM t)::int8 FROM generate_series('1990-01-01Z'::timestamptz, '2020-01-01Z', interval '1 hour') t
      WHERE (t AT TIME ZONE '\(zone)') - ((t - interval '1 hour') AT TIME ZONE '\(zone)') <> interval '1 hour' LIMIT 20
      """)
    for change in changes.compactMap({ Int64($0) }) {
      try check(change + Int64.random(in: -7200..<7200, using: &random), zone, local, database, "\(random)")
    }
  }

  private func check(_ instant: Int64, _ name: String, _ zone: LocalZone, _ database: TestDatabase, _ seed: String) throws {
    let at = "to_timestamp(\(instant)) AT TIME ZONE '\(name)'"
    let shown = try database.value("to_char(\(at), 'YYYY-MM-DD HH24:MI:SS')")
    let expected = (instant - 946_684_800) * 1_000_000
    do {
      #expect(try DateReading.microseconds(shown, as: .lower, in: zone) == expected, "\(shown) in \(name), \(seed)")
    } catch let error {
      let forms = error.message.matches(of: #/\d{4}-\d\d-\d\dT\S+/#).map { String($0.output) }
      let read = try forms.map { try DateReading.microseconds($0, as: .lower, in: zone) }
      #expect(read.count == 2 && read.contains(expected), "\(error.message), \(seed)")
    }
    // A day begins with the first instant of its date, and ends where the next begins.
    let day = String(shown.prefix(10))
    let start = try DateReading.microseconds(day, as: .lower, in: zone)
    let end = try DateReading.microseconds(day, as: .upper, in: zone)
    let dates = try database.value(
      [start - 1, start, end - 1, end].map {
        "to_char((timestamptz '2000-01-01Z' + \($0) * interval '1 microsecond') AT TIME ZONE '\(name)', 'YYYY-MM-DD')"
      }.joined(separator: ", ")
    ).split(separator: "|")
    #expect(dates[0] < day && dates[1] == day && dates[2] <= day && dates[3] > day, "\(dates) in \(name), \(seed)")
  }
}
