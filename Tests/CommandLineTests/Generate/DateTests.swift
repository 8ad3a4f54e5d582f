import Foundation
import Testing

@Suite("Ranges of dates")
struct DateTests {
  /// Calls that begin at these times.
  private func database(_ times: String...) throws -> TestDatabase {
    let database = try TestDatabase(.bare)
    var file = CELFile()
    for number in times.indices { file.addCall("177244560\(number).1") }
    try database.load(file)
    for (number, time) in times.enumerated() {
      try database.psql(
        "UPDATE cel SET eventtime = '\(time)'::timestamptz + id * interval '1 millisecond' WHERE linkedid = '177244560\(number).1'"
      )
    }
    return database
  }

  private func calls(_ database: TestDatabase) throws -> String {
    try database.psql("SELECT string_agg(substr(conversation_id, 10, 1), '' ORDER BY conversation_id) FROM call_logd_call_log")
  }

  @Test("March in local time is March there, and what deletes it takes the same calls")
  func month() throws {
    // The first and the last moment of March in Paris, and their neighbours.
    let database = try database(
      "2025-02-28 22:59:59Z", "2025-02-28 23:00:00Z", "2025-03-15 12:00Z", "2025-03-31 21:59:59Z", "2025-03-31 22:00:01Z")
    let march = ["--from", "2025-03-01", "--to", "2025-03-31"]
    let paris = ["TZ": "Europe/Paris"]
    expectSilence(try database.start(["backfill"] + march, environment: paris).finish())
    #expect(try calls(database) == "123")
    expectSilence(try database.run("backfill"))
    #expect(try calls(database) == "01234")
    // The verb may come after the options.
    let dryRun = try database.start(march + ["delete", "--dry-run", "--format", "json"], environment: paris).finish().json()
    #expect(dryRun["call_logs"] as? Int == 3 && dryRun["dry_run"] as? Bool == true)
    expectSilence(try database.start(["delete"] + march, environment: paris).finish())
    #expect(try calls(database) == "04")
    expectSilence(try database.start(["delete"] + march, environment: ["TZ": "UTC"]).finish())
    #expect(try calls(database) == "0")
    expectSilence(try database.run("delete", "--from", "2025-02-28T23:00Z", "--to", "2025-03-31"))
    #expect(try calls(database) == "0")
    expectSilence(try database.run("delete", "--from", "2025-02-28T22:59:59Z", "--to", "2025-03-01 00:00:00+01:00"))
    #expect(try calls(database) == "")
  }

  @Test("The end is excluded where it is a time, and everything where only one end is given")
  func ends() throws {
    let database = try database("2025-03-01 10:00Z", "2025-03-01 11:00Z", "2025-03-01 12:00Z")
    expectSilence(try database.run("backfill", "--from", "2025-03-01 11:00", "--to", "2025-03-01 12:00"))
    #expect(try calls(database) == "1")
    expectSilence(try database.run("backfill", "--to=2025-03-01T11:00"))
    #expect(try calls(database) == "01")
    expectSilence(try database.run("backfill", "--from", "2025-03-01"))
    #expect(try calls(database) == "012")
    expectSilence(try database.run("delete", "--to", "2025-03-01T13:00+0200"))
    #expect(try calls(database) == "12")
  }

  @Test("cel_time_zone counts for dates")
  func zone() throws {
    let database = try database("2025-03-01 10:00Z", "2025-03-01 11:00Z")
    expectSilence(try database.run("backfill", "--cel-time-zone", "Asia/Tokyo", "--to", "2025-03-01T01:30Z"))
    #expect(try calls(database) == "0")
  }

  @Test(
    "An hour that the clocks skip or repeat is explained, with the two ways to write it",
    arguments: [
      ("Europe/Paris", "2025-03-30 02:30", ["from 02:00 to 03:00", "2025-03-30T02:30:00+01:00", "2025-03-30T02:30:00+02:00"]),
      ("Europe/Paris", "2025-10-26T02:30", ["twice", "2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00"]),
      (
        "America/Sao_Paulo", "2018-11-04 00:00",
        ["from 00:00 to 01:00", "2018-11-04T00:00:00-03:00", "2018-11-04T00:00:00-02:00"]
      ),
      ("CET-1CEST,M3.5.0,M10.5.0/3", "2025-10-26T02:30", ["twice", "TZ=CET-1CEST"]),
    ])
  func changes(zone: String, time: String, parts: [String]) throws {
    for arguments in [["backfill", "--from", time], ["delete", "--to", time]] {
      let outcome = try Running(Program.path, arguments, environment: ["TZ": zone]).finish()
      expectUsageError(outcome, arguments[1] + ": " + time)
      for part in parts { #expect(outcome.errors.contains(part), "no “\(part)” in: \(outcome.errors)") }
    }
    // The day itself has a beginning and an end, and so has every other zone's clock.
    let day = String(time.prefix(10))
    let database = try database("2025-03-01 10:00Z")
    expectSilence(try database.start(["backfill", "--from", day, "--to", day], environment: ["TZ": zone]).finish())
    expectSilence(try database.run("backfill", "--from", time))
  }

  @Test("A day without a midnight begins at one o'clock")
  func noMidnight() throws {
    let database = try database("2018-11-04 02:59:59Z", "2018-11-04 03:00Z", "2018-11-05 01:59:59Z", "2018-11-05 02:00Z")
    let saoPaulo = ["TZ": "America/Sao_Paulo"]
    expectSilence(try database.start(["backfill", "--from", "2018-11-04", "--to", "2018-11-04"], environment: saoPaulo).finish())
    #expect(try calls(database) == "12")
  }

  @Test(
    "What cannot be is a usage error",
    arguments: [
      (["--from", "2025-02-30"], "--from: 2025-02-30: there is no such day"),
      (["--to", "yesterday"], "--to: “yesterday” is not a date"),
      (["--from", "2025-03-02", "--to", "2025-02-28"], "later than"),
      (["--from", "2025-03-02", "--to", "2025-03-01"], "nothing lies"),
      (["--from", "2025-03-01T10:00Z", "--to", "2025-03-01T10:00Z"], "nothing lies between"),
      (["--from", "2025-03-01", "10:00"], "'10:00'"), (["--from"], "Missing value"),
    ])
  func refused(arguments: [String], part: String) throws {
    for verb in ["backfill", "delete"] { expectUsageError(try Running(Program.path, [verb] + arguments).finish(), part) }
  }

  @Test("Ids and dates exclude one another, and so do the extents of delete")
  func exclusive() throws {
    for id in ["--from-id", "--to-id"] {
      for date in ["--from", "--to"] {
        expectUsageError(try Program.run("backfill", id, "5", date, "2025-03-01"), "ids", "dates", "exclude one another")
      }
    }
    for option in [["-A"], ["-d", "5"], ["-c", "5"]] {
      let arguments = ["delete", "--from", "2025-03-01"] + option
      expectUsageError(try Running(Program.path, arguments).finish(), "-A, -c, -d and dates (--from, --to) exclude one another")
    }
  }
}
