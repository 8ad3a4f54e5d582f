import Foundation
import Generation
import PostgreSQL
import TestSupport
import Testing
import Values

/// Where nothing is covered, a follower begins at the newest CEL. What comes after that is never
/// history, whoever follows then.
@Suite("The first follower")
struct FollowBeginningTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"
  private let c = "1714989800.3"

  @Test(
    "on a table without CELs notes that, so that all calls are made that come while nobody follows",
    arguments: [false, true])
  func emptyTable(isEmptied: Bool) throws {
    let (database, runner) = try wazo()
    if isEmptied {
      // As a table whose CELs somebody deleted: the sequence goes on.
      try database.insert(CELRow.call(c))
      try database.run("DELETE FROM cel")
    }
    let first = Following(runner)
    try first.waitUntilItLeads()
    first.stop()
    try database.insert(CELRow.call(a) + CELRow.call(b, at: 100))
    let second = Following(runner)
    defer { second.stop() }
    try waitUntil("both calls have their call logs") { try database.conversations() == [a, b] }
    try waitUntilAllIsCovered(database)
    second.stop()
    try expectWhole(database)
    #expect(try differenceFromFreshRun(database) == "")
    #expect(try database.value("(counters->>'cels') FROM call_logd_checkpoint") == "20")
  }

  @Test("on a table without CELs leaves every other run as it is", arguments: ["nightly", "all", "none"])
  func otherRuns(run: String) throws {
    let (database, runner) = try wazo()
    let first = Following(runner)
    try first.waitUntilItLeads()
    first.stop()
    // Neither is taken for a table that was emptied.
    try runner.generate()
    try runner.generate(.newest(10))
    try database.insert(CELRow.call(a) + CELRow.call(b, at: 100))
    switch run {
    case "nightly": try runner.generate()
    case "all": try runner.backfill()
    default:
      // The sequence begins anew, as with TRUNCATE … RESTART IDENTITY: nothing of it was covered.
      try database.run("TRUNCATE cel RESTART IDENTITY")
      try database.insert(CELRow.call(a) + CELRow.call(b, at: 100))
      try runner.generate()
    }
    #expect(try database.conversations() == [a, b])
    try expectWhole(database)
  }

  @Test("says that it leads only when the newest CEL is covered: from then on no CEL is history")
  func announced() throws {
    var (database, runner) = try wazo(CELRow.call(a))
    let isHeld = Locked(true)
    let isThere = Locked(false)
    runner.settings.atPoint = { point in
      guard point == .beforeCommit else { return }
      isThere.with { $0 = true }
      while isHeld.with({ $0 }) { Thread.sleep(forTimeInterval: 0.01) }
    }
    let first = Following(runner)
    defer { first.stop() }
    try waitUntil("the first pass is about to commit") { isThere.with { $0 } }
    #expect(first.leads == 0)
    isHeld.with { $0 = false }
    try first.waitUntilItLeads()
    first.stop()
    try database.insert(CELRow.call(b, at: 100) + CELRow.call(c, at: 200))
    runner.settings.atPoint = nil
    let second = Following(runner)
    defer { second.stop() }
    try waitUntil("the calls have their call logs") { try database.conversations() == [a, b, c] }
  }
}
