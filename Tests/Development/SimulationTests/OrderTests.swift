import Simulation
import Testing

@Suite("Ids, times and linkedids")
struct OrderTests {
  @Test("ids ascend without gaps from the first")
  func ids() throws {
    var options = crowd
    options.firstID = 5000
    let rows = try CELFile(options).rows
    #expect(rows.map { $0["id"] } == (5000..<5000 + rows.count).map(String.init))
  }

  @Test("every line has the 22 columns of the header, and only extra is ever NULL")
  func columns() throws {
    let file = try usualFile.get()
    #expect(file.header == CELRow.columns)
    #expect(file.rows.allSatisfy { $0.fields.count == 22 })
    #expect(file.rows.allSatisfy { row in row.fields.dropLast().allSatisfy { $0 != nil } })
    #expect(file.rows.contains { $0.fields[21] == nil })
    #expect(file.rows.contains { $0.fields[21] == "" })
  }

  @Test("time never goes back within a uniqueid")
  func timeWithinChannels() throws {
    for file in [try usualFile.get(), try crowdFile.get()] {
      var last: [String: Int64] = [:]
      for row in file.rows {
        #expect(row.time >= last[row.uniqueid] ?? 0, "CEL \(row["id"])")
        last[row.uniqueid] = row.time
      }
    }
  }

  @Test("id order differs from time order now and then, by 2 ms at most")
  func inversions() throws {
    let rows = try crowdFile.get().rows
    var latest: Int64 = 0
    var inversions = 0
    for row in rows {
      if row.time < latest { inversions += 1 }
      #expect(latest - row.time <= 2000, "CEL \(row["id"])")
      latest = max(latest, row.time)
    }
    #expect(inversions > 0 && inversions < rows.count / 50)
  }

  @Test("a channel starts in the second of its uniqueid, whose sequence numbers ascend")
  func uniqueids() throws {
    var sequences: [Int] = []
    for row in try crowdFile.get().rows where row.event == "CHAN_START" {
      let parts = row.uniqueid.split(separator: ".").compactMap { Int($0) }
      #expect(parts.count == 2 && parts[0] == Int(row.time / 1_000_000))
      sequences.append(parts[1])
    }
    #expect(sequences == Array(1...sequences.count))
  }

  @Test("the calls of a busy system interleave")
  func interleaving() throws {
    let rows = try crowdFile.get().rows
    let changes = zip(rows, rows.dropFirst()).count { $0.linkedid != $1.linkedid }
    #expect(changes > 2 * 2000, "a call after the other would change 2000 times")
    var open: Set<String> = []
    var most = 0
    for row in rows {
      if row.event == "LINKEDID_END" { open.remove(row.linkedid) } else { open.insert(row.linkedid) }
      most = max(most, open.count)
    }
    #expect((30...120).contains(most))
  }

  @Test("a LINKEDID_END comes once and is the last row of its linkedid")
  func linkedidEnds() throws {
    for file in [try usualFile.get(), try crowdFile.get()] {
      var ended: Set<String> = []
      for row in file.rows {
        #expect(!ended.contains(row.linkedid), "CEL \(row["id"])")
        if row.event == "LINKEDID_END" { ended.insert(row.linkedid) }
      }
      let open = Set(file.rows.map(\.linkedid)).subtracting(ended)
      let unfinished = file.summary.calls[.unfinished] ?? 0
      #expect(open.count > 0 && open.count <= unfinished)
    }
  }

  @Test("a channel's HANGUP and CHAN_END have the same microsecond and adjacent ids")
  func ties() throws {
    let rows = try crowdFile.get().rows
    var pairs = 0
    for (one, next) in zip(rows, rows.dropFirst()) where next.event == "CHAN_END" {
      #expect(one.event == "HANGUP" && one.uniqueid == next.uniqueid && one.time == next.time, "CEL \(next["id"])")
      pairs += 1
    }
    #expect(pairs > 4000)
  }

  @Test("no event is later than the end of the period or earlier than its start, and most are in working hours")
  func period() throws {
    let rows = try usualFile.get().rows
    #expect(rows.allSatisfy { (november - 30 * 86_400_000_000...november).contains($0.time) })
    let working = rows.count { (7..<19).contains($0.time / 3_600_000_000 % 24) }
    #expect(working > rows.count * 8 / 10)
    #expect(Set(rows.map { $0.time / 86_400_000_000 }).count >= 25)
  }
}
