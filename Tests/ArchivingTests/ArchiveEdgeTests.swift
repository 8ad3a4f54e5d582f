import Archive
import CallLogs
import Foundation
import Store
import TestSupport
import Testing

@Suite("What an archive takes, to the row and the microsecond")
struct ArchiveEdgeTests {
  private static let (first, second) = ("1714989600.1", "1715076000.2")

  private func filled() throws -> (TestDatabase, Runner, ArchivePlace) {
    let (database, runner) = try wazo(
      CELRow.call(Self.first, recording: "/tmp/1.wav"), CELRow.call(Self.second, at: 86_400, recording: "/tmp/2.wav"))
    try runner.backfill()
    return (database, runner, try ArchivePlace())
  }

  @Test("a call whose newest CEL is at the cut-off stays; one that ended a microsecond before it goes")
  func cutoff() throws {
    let (database, runner, place) = try filled()
    let newest = try #require(
      Int64(
        try database.value(
          "(extract(epoch FROM max(eventtime)) * 1000000)::int8 - 946684800000000 FROM cel WHERE linkedid = '\(Self.first)'")))
    let (all, cels) = (try database.count("cel"), try database.count("cel WHERE linkedid = '\(Self.first)'"))
    let stays = try runner.purge(place, kinds: [.cel], .before(newest))
    #expect(stays.map(\.deleted) == [0] && stays.map { $0.kept.young > 0 } == [true])
    #expect(try database.count("cel") == all)
    let goes = try runner.purge(place, kinds: [.cel], .before(newest + 1))
    #expect(goes.map(\.deleted) == [cels] && goes.map(\.kept.young) == [0])
    #expect(try database.rows("DISTINCT linkedid FROM cel") == [Self.second])
  }

  @Test("a row that a trigger keeps from being deleted keeps the whole part from being committed")
  func trigger() throws {
    let (database, runner, place) = try filled()
    let before = try database.contentsWithIDs()
    try database.run(
      """
      CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER keep BEFORE DELETE ON call_logd_recording FOR EACH ROW WHEN (OLD.path = '/tmp/2.wav') EXECUTE FUNCTION keep()
      """)
    #expect(try failure { try runner.purge(place, kinds: [.callLogs]) }.exitReason == .busy)
    expectSame(try database.contentsWithIDs(), before)
    try place.expectClean()
    #expect(try place.rows().isEmpty)
    try database.run("DROP TRIGGER keep ON call_logd_recording")
    try runner.purge(place, kinds: [.callLogs])
    #expect(try database.count("call_logd_call_log") == 0)
    #expect(try place.rows()[.callLogs] == 2)
  }

  @Test("a part of which only some rows were restored is on record as deleted still; one that was restored whole as a copy")
  func restoredInPart() throws {
    let (database, runner, place) = try filled()
    for kind in ArchiveKind.allCases {
      let deletes = "deletes FROM call_logd_archive WHERE kind = '\(kind.rawValue)'"
      try runner.purge(place, kinds: [kind])
      #expect(try database.rows(deletes) == ["true"])
      // The second day alone.
      let time: Int64 = (1_715_072_400 - 946_684_800) * 1_000_000
      #expect(try runner.restore(place, kinds: [kind]) { $0.filter.from = time }.count == 1)
      #expect(try database.rows(deletes) == ["true"], "\(kind)")
      try runner.restore(place, kinds: [kind])
      #expect(try database.rows(deletes) == ["false"], "\(kind)")
    }
  }
}
