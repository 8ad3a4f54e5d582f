import Files
import Archive
import Runs
import TestSupport
import Testing

@Suite("What an archive makes durable, and when")
struct DurableOrderTests {
  @Test("content before its name, names before what relies on them: rows go when their files cannot be lost any more")
  func order() throws {
    var (database, runner) = try wazo(CELRow.call("1714989600.1", recording: "/tmp/1.wav"))
    try runner.backfill()
    let place = try ArchivePlace()
    let watch = DurableSteps(below: place.root)
    defer { watch.stop() }
    runner.settings.atPoint = { watch.mark($0.rawValue) }
    try runner.purge(place)
    let steps = watch.steps
    #expect(try database.rowsOfAll().rows.isEmpty)

    var (folders, files, manifests) = (0, 0, 0)
    for (index, step) in steps.enumerated() {
      let words = step.split(separator: " ", maxSplits: 1).map(String.init)
      guard words.count == 2, words[0] == "named" || words[0] == "made" else { continue }
      let cut = try #require(words[1].lastIndex(of: "/"))
      let (parent, name) = (String(words[1][..<cut]), String(words[1][words[1].index(after: cut)...]))
      #expect(steps[index + 1] == "synced \(parent)", "\(step)")
      guard words[0] == "named" else {
        folders += 1
        continue
      }
      let content = try #require(steps[..<index].lastIndex { $0.hasPrefix("synced \(parent)/.\(name).") }, "\(step)")
      // The run's journal, which is written anew at each part.
      if name.hasPrefix("archive-") { continue }
      if name.hasSuffix(".manifest.json") {
        manifests += 1
        let purge = try #require(steps[..<index].lastIndex(of: Point.beforePurge.rawValue))
        let commit = try #require(steps[..<index].lastIndex(of: Point.afterCommit.rawValue))
        #expect(content < purge && purge < commit, "\(step)")
      } else {
        files += 1
        #expect(steps[index...].dropFirst(2).first == Point.afterFile.rawValue, "\(step)")
      }
    }
    let tables = try place.rows().count
    // The archive's own, and of each kind one for itself, the year and the month.
    #expect(folders == 7 && manifests == 2 && files == tables, "\(steps)")
  }
}
