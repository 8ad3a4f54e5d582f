import Archive
import CallLogs
import Foundation
import TestSupport
import Testing
import Values

@Suite("Restoring")
struct RestoreTests {
  private let calls = (0..<5).map { "171498960\($0).\($0 + 1)" }

  /// Five calls, one a day from 2024-05-06 10:00 on, purged.
  private func purged(rows: Int = 2) throws -> (TestDatabase, Runner, ArchivePlace, Dump) {
    let (database, runner) = try wazo()
    for (day, call) in calls.enumerated() {
      try database.insert(CELRow.call(call, at: Double(day) * 86_400, recording: "/\(day).wav"))
    }
    try runner.backfill()
    let before = try database.rowsOfAll()
    let place = try ArchivePlace()
    try runner.purge(place, rows: rows)
    return (database, runner, place, before)
  }

  /// Days after 2024-05-06 00:00 UTC.
  private func day(_ days: Int) -> Int64 { (1_714_953_600 - 946_684_800 + Int64(days) * 86_400) * 1_000_000 }

  @Test("by date: what began in the range, with all that belongs to it")
  func dates() throws {
    let (database, runner, place, before) = try purged(rows: 3)
    let summary = try runner.restore(place) {
      $0.filter.from = day(1)
      $0.filter.to = day(3)
    }
    #expect(summary.map(\.restored) == [2, 22])
    #expect(try database.conversations() == Array(calls[1...2]))
    #expect(try database.count("call_logd_recording") == 2)
    #expect(try database.rowsOfAll().rows.isSubset(of: before.rows))
    #expect(try runner.restore(place).map(\.restored) == [3, 33])
    expectSame(try database.rowsOfAll(), before)
  }

  @Test("by tenant and by file")
  func others() throws {
    let (database, runner, place, _) = try purged()
    #expect(try runner.restore(place, kinds: [.callLogs]) { $0.filter.tenant = UUIDValue(high: 1, low: 1) }[0].restored == 0)
    #expect(
      try runner.restore(place) { $0.files = ["call-logs/2024/2024-05/call-logs-2024-05-0002.recordings.csv.zst"] }.map(
        \.restored) == [2, 0])
    #expect(try database.conversations() == Array(calls[2...3]))
    for file in ["../x", "call-logs-2024-05-0009.manifest.json", "call-logs/2024/2024-06/call-logs-2024-05-0002.manifest.json"] {
      #expect(throws: (any Error).self) { try runner.restore(place) { $0.files = [file] } }
    }
    #expect(try runner.restore(place, kinds: [.callLogs]) { $0.filter.tenant = UUIDValue(defaultTenant) }[0].restored == 3)
  }

  @Test("rows that exist are left alone and counted, also a call that was made again under another id")
  func existing() throws {
    let (database, runner, place, before) = try purged()
    try runner.restore(place, kinds: [.cel])
    try database.run(
      "INSERT INTO call_logd_call_log (id, date, tenant_uuid, conversation_id, user_field) SELECT 1000, '2024-05-06 10:00Z', uuid, '\(calls[0])', 'mine' FROM call_logd_tenant LIMIT 1"
    )
    try database.run(
      "INSERT INTO call_logd_call_log (id, date, tenant_uuid, conversation_id, user_field) SELECT 3, '2030-05-06 10:00Z', uuid, 'x', 'mine' FROM call_logd_tenant LIMIT 1"
    )
    let summary = try runner.restore(place)
    #expect(summary.map(\.restored) == [3, 0] && summary.map(\.existing) == [2, 55])
    #expect(try database.count("call_logd_call_log WHERE user_field = 'mine'") == 2)
    #expect(try database.rowsOfAll().rows.subtracting(before.rows).count == 2)
  }

  @Test("anything wrong is said before a row is touched")
  func damaged() throws {
    let (database, runner, place, _) = try purged()
    let file = try #require(try place.files().filter { $0.contains("0003.call-logs.csv") }.first)
    let good = try Data(contentsOf: URL(fileURLWithPath: file))
    var bad = good
    bad[bad.count / 2] ^= 4
    let manifest = place.folder + "/call-logs/2024/2024-05/call-logs-2024-05-0003.manifest.json"
    let json = try String(contentsOfFile: manifest, encoding: .utf8)
    func expectRefused(_ words: String) throws {
      let failure = try failure { try runner.restore(place) }
      #expect(
        failure.exitReason == .badInput && failure.message.contains(words) && failure.message.contains("0003"),
        "\(failure.message)")
      #expect(try database.rowsOfAll().rows.isEmpty)
    }
    try bad.write(to: URL(fileURLWithPath: file))
    try expectRefused("call-logs.csv.zst")
    try good.dropLast().write(to: URL(fileURLWithPath: file))
    try expectRefused("cut off")
    try FileManager.default.removeItem(atPath: file)
    try expectRefused("is missing")
    try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "/etc/passwd")
    try expectRefused("symbolic link")
    try FileManager.default.removeItem(atPath: file)
    try good.write(to: URL(fileURLWithPath: file))
    for (from, to, words) in [
      ("\"format\" : 1", "\"format\" : 2", "later version"), ("\"rows\" : 1", "\"rows\" : 4", "rows"),
      (".participants.csv.zst", ".participants.csv.zst/../../../../../etc/passwd", "other files"), ("{", "", "cannot be read"),
    ] {
      try json.replacingOccurrences(of: from, with: to).write(toFile: manifest, atomically: false, encoding: .utf8)
      try expectRefused(words)
    }
    try json.write(toFile: manifest, atomically: false, encoding: .utf8)
    try runner.restore(place)
    #expect(try database.count("call_logd_call_log") == 5)
  }

  @Test("a table that lacks a column of the archive is said before a row is touched")
  func columns() throws {
    let (database, runner, place, _) = try purged()
    try database.run("ALTER TABLE call_logd_recording DROP COLUMN path")
    let failure = try failure { try runner.restore(place) }
    #expect(failure.exitReason == .configuration && failure.message.contains("path"))
    #expect(try database.rowsOfAll().rows.isEmpty)
    try database.run("ALTER TABLE call_logd_recording ADD COLUMN path text, ADD COLUMN more integer NOT NULL DEFAULT 7")
    try runner.restore(place)
    #expect(try database.count("call_logd_recording WHERE more = 7 AND path IS NOT NULL") == 5)
  }

  @Test("what was restored is not purged again for a time")
  func kept() throws {
    let (database, runner, place, before) = try purged()
    try runner.restore(place, keepFor: 3600)
    let files = try place.files()
    let summary = try runner.purge(place)
    #expect(summary.map(\.deleted) == [0, 0] && summary.map(\.kept.restored) == [5, 55])
    expectSame(try database.rowsOfAll(), before)
    try database.run("UPDATE call_logd_restored SET kept_to = now() - interval '1 second'")
    #expect(try runner.purge(place).map(\.deleted) == [5, 55])
    // They had not changed: nothing was written twice.
    #expect(try place.files() == files && database.count("call_logd_restored") == 0)
  }

  @Test(
    "a part that is restored in part and purged again: verify is clean, no row is lost, and of a row in two parts the later state comes back",
    arguments: [true, false])
  func partly(changes: Bool) throws {
    let (database, runner, place, _) = try purged(rows: 5)
    try runner.restore(place, keepFor: 3600) {
      $0.filter.from = day(1)
      $0.filter.to = day(3)
    }
    if changes { try database.run("UPDATE call_logd_call_log SET user_field = 'later' WHERE conversation_id = '\(calls[2])'") }
    // Not yet.
    #expect(try runner.purge(place).map(\.deleted) == [0, 0])
    try database.run("UPDATE call_logd_restored SET kept_to = now() - interval '1 second'")
    #expect(try runner.purge(place).map(\.deleted) == [2, 22])
    #expect(try database.rowsOfAll().rows.isEmpty)
    try place.expectClean()
    // The two calls are in a part of their own besides.
    #expect(try place.manifests().filter { $0.table == .callLogs }.map(\.rows) == [5, 2])
    for round in 0..<2 {
      let summary = try runner.restore(place)
      #expect(summary.map(\.restored) == [5, 55], "\(round)")
      #expect(try database.conversations() == calls)
      #expect(try database.count("call_logd_call_log WHERE user_field = 'later'") == (changes ? 1 : 0))
      #expect(try database.count("call_logd_recording") == 5 && database.count("cel") == 55)
      // What is restored whole and has not changed is taken from where it is; nothing is ever in
      // neither.
      #expect(try runner.purge(place, rows: 5).map(\.deleted) == [5, 55])
      #expect(try database.rowsOfAll().rows.isEmpty)
      try place.expectClean()
    }
  }
}
