import TestSupport
import Testing

@testable import CallLogs
@testable import Values

@Suite("Grouping")
struct GroupingTests {
  private func row(_ event: String, _ uniqueid: String, _ linkedid: String, _ seconds: Double = 0) -> Row {
    Row(event, Channel("PJSIP/mira-01", uniqueid: uniqueid), seconds, "M <201>", "202@floor", linkedid: linkedid)
  }

  /// The ids of each group's rows.
  private func groups(_ rows: [Row]) -> [[Int64]] {
    withGrouping(rows) { grouping, batch in grouping.groups.map { grouping.order[$0.rows].map { batch.rows[Int($0)].id } } }
  }

  private func withGrouping<T>(_ rows: [Row], _ body: (Grouping, CELBatch) -> T) -> T {
    var batch = CELBatch()
    var tally = Tally()
    let scratch = TextArena()
    for row in rows { batch.append(row.columns(scratch), tally: &tally) }
    var grouping = Grouping()
    grouping.group(batch)
    return withExtendedLifetime(batch) { body(grouping, batch) }
  }

  @Test("linkedids that share a uniqueid are one group, however far and in whatever order the links come")
  func connected() {
    let chain = conversation([
      row("ANSWER", "a", "1"), row("ANSWER", "z", "9"), row("ANSWER", "b", "2"), row("ANSWER", "b", "1"),
      row("ANSWER", "c", "3"), row("ANSWER", "d", "4"), row("ANSWER", "c", "4"), row("ANSWER", "d", "2"),
    ])
    #expect(groups(chain).map { $0.sorted() } == [[1, 3, 4, 5, 6, 7, 8], [2]])
  }

  @Test("a linkedid that joins two others makes one group of the three, with one call log")
  func joined() throws {
    let rows = conversation([
      row("CHAN_START", "a", "10.5"), row("CHAN_START", "b", "10.6", 1), row("CHAN_END", "a", "10.7", 2),
      row("CHAN_END", "b", "10.7", 3),
      row("LINKEDID_END", "a", "10.5", 4), row("LINKEDID_END", "b", "10.6", 4), row("LINKEDID_END", "b", "10.7", 4),
    ])
    #expect(try interpret(rows).only().celIDs == Array(1...7))
  }

  @Test("an empty uniqueid connects nothing")
  func emptyUniqueid() {
    #expect(groups(conversation([row("ANSWER", "", "1"), row("ANSWER", "", "2"), row("ANSWER", "", "1")])) == [[1, 3], [2]])
  }

  @Test("events of a group are ordered by time, then linkedid as text, then id")
  func order() {
    var rows = conversation([
      row("ANSWER", "a", "1.9", 1), row("ANSWER", "a", "1.10", 1), row("ANSWER", "a", "1.10", 0.000_001),
      row("ANSWER", "a", "1.10", 1),
    ])
    #expect(groups(rows) == [[3, 2, 4, 1]])
    rows.reverse()
    #expect(groups(rows) == [[3, 2, 4, 1]])
  }

  @Test("a tie of two CHAN_STARTs: the lower id is the caller, whichever row is read first")
  func tiedStarts() throws {
    var rows = Stage.call([Row("CHAN_START", Stage.noor, 0, "Noor Vale <202>", "s@floor")])
    #expect(try interpret(rows).only().sourceName == "Mira Sand")
    rows.swapAt(0, 1)
    #expect(try interpret(rows).only().sourceName == "Mira Sand")
  }

  @Test("a group is complete when each of its linkedids has its LINKEDID_END")
  func complete() {
    let rows = conversation([
      row("CHAN_START", "a", "1"), row("CHAN_END", "a", "2"), row("LINKEDID_END", "a", "1"), row("CHAN_START", "b", "3"),
      row("LINKEDID_END", "b", "3"),
    ])
    #expect(withGrouping(rows) { grouping, _ in grouping.groups.map(\.isComplete) } == [false, true])
    #expect(interpret(rows).outcomes.first == .unfinished)
  }

  @Test(
    "a group is closed when each of its channels has begun and ended in it, the one that each linkedid is named after among them")
  func closed() {
    let whole = [row("CHAN_START", "1", "1"), row("CHAN_END", "1", "1"), row("LINKEDID_END", "1", "1")]
    func isClosed(_ rows: [Row]) -> [Bool] { withGrouping(conversation(rows)) { grouping, _ in grouping.groups.map(\.isClosed) } }
    #expect(isClosed(whole) == [true])
    for missing in whole.indices {
      #expect(isClosed(whole.enumerated().filter { $0.offset != missing }.map(\.element)) == [false])
    }
    #expect(isClosed(whole + [row("HANGUP", "b", "1")]) == [false])
    #expect(isClosed(whole + [row("HANGUP", "", "1")]) == [false])
    let other = [row("CHAN_START", "a", "1"), row("CHAN_END", "a", "1"), row("LINKEDID_END", "a", "1")]
    #expect(isClosed(other) == [false])
    #expect(isClosed(whole + other) == [true])
    #expect(isClosed(whole + [row("HANGUP", "1", "2"), row("LINKEDID_END", "1", "2")]) == [false])
    // The channel is there, in another group.
    #expect(isClosed(other + [row("CHAN_START", "1", "3")]) == [false, false])
  }

  @Test("a group is linked when every row points to a call log; its greatest id is told")
  func linked() {
    var rows = conversation([row("CHAN_START", "a", "1"), row("CHAN_END", "a", "1")], from: 7)
    for index in rows.indices { rows[index].callLogID = 5 }
    #expect(withGrouping(rows.reversed()) { grouping, _ in grouping.groups.map { ($0.isLinked ? 1 : 0) + $0.greatestID } } == [9])
    rows[1].callLogID = 0
    #expect(withGrouping(rows) { grouping, _ in grouping.groups.map(\.isLinked) } == [false])
  }

  @Test("finds the components that a naive union finds")
  func likeNaive() {
    var random = Seeded("grouping")
    for round in 0..<200 {
      let size = 1 + random.below(60)
      let rows = conversation(
        (0..<size).map { _ in
          row("ANSWER", random.chance(5) ? "" : "u\(random.below(size))", "l\(random.below(size))", Double(random.below(4)))
        })
      // Components as sets of linkedids, joined until nothing changes.
      var components = rows.map { Set([$0.linkedid ?? ""]) }
      for a in rows where !a.channel.uniqueid.isEmpty {
        for b in rows where a.channel.uniqueid == b.channel.uniqueid {
          let joined = components.filter { $0.contains(a.linkedid ?? "") || $0.contains(b.linkedid ?? "") }.reduce(Set()) {
            $0.union($1)
          }
          components = components.filter { $0.isDisjoint(with: joined) } + [joined]
        }
      }
      let expected = Set(components.map { component in Set(rows.filter { component.contains($0.linkedid ?? "") }.map(\.id)) })
      let found = groups(rows)
      #expect(Set(found.map { Set($0) }) == expected, "seed \(random.seed), round \(round)")
      #expect(found.count == expected.count)
      withGrouping(rows) { grouping, batch in
        for (number, group) in grouping.groups.enumerated() {
          for linkedid in grouping.linkedids[group.linkedids] { #expect(grouping.group(ofLinkedid: Int(linkedid)) == number) }
        }
        #expect(grouping.linkedids.sorted() == (0..<batch.linkedids.count).map { Int32($0) })
      }
    }
  }

  @Test("long groups in any order come out sorted")
  func longGroups() {
    var random = Seeded("long groups")
    let rows = conversation((0..<5000).map { row("ANSWER", "u", "l\($0 % 3)", Double($0 / 4)) })
    let sorted = rows.sorted { ($0.time ?? 0, $0.linkedid ?? "", $0.id) < ($1.time ?? 0, $1.linkedid ?? "", $1.id) }.map(\.id)
    #expect(groups(rows.shuffled(using: &random)) == [sorted], "seed \(random.seed)")
    #expect(groups(rows.reversed()) == [sorted])
  }
}
