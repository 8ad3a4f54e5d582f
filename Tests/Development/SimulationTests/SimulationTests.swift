import Simulation
import Testing

@Suite("A simulation")
struct SimulationTests {
  @Test("gives the same bytes for the same options, also from one value twice")
  func repeatable() throws {
    let simulation = try Simulation(SimulationOptions(calls: 300, until: november))
    var first: [UInt8] = []
    var second: [UInt8] = []
    let one = try simulation.writeCELs { first.append(contentsOf: $0) }
    let two = try simulation.writeCELs { second.append(contentsOf: $0) }
    #expect(first == second)
    #expect(one == two)
    #expect(try CELFile.bytes(simulation.options).0 == first)
    #expect(try Simulation(simulation.options).directoryJSON() == simulation.directoryJSON())
    #expect(try Simulation(simulation.options).directorySQL() == simulation.directorySQL())
  }

  @Test("gives other calls and another directory for another seed")
  func seeds() throws {
    let (one, other) = (
      SimulationOptions(calls: 50, seed: 1, until: november), SimulationOptions(calls: 50, seed: 2, until: november)
    )
    #expect(try CELFile.bytes(one).0 != CELFile.bytes(other).0)
    #expect(try Simulation(one).directoryJSON() != Simulation(other).directoryJSON())
  }

  @Test("goes on with the same directory, other calls and no uniqueid twice when only the first id differs")
  func continuation() throws {
    let options = SimulationOptions(calls: 400, until: november)
    let before = try CELFile(options)
    var later = options
    later.firstID = Int64(before.rows.count) + 1
    let after = try CELFile(later)
    #expect(try Simulation(later).directorySQL() == Simulation(options).directorySQL())
    #expect(after.rows.first?["id"] == String(later.firstID))
    let sequences = [before, after].map { Set($0.rows.compactMap { $0.uniqueid.split(separator: ".").last }) }
    #expect(sequences[0].isDisjoint(with: sequences[1]))
    #expect(before.rows.map { $0["cid_num"] } != after.rows.map { $0["cid_num"] })
  }

  @Test("has every kind of call in two thousand", arguments: [1, 2, 3] as [UInt64])
  func kinds(seed: UInt64) throws {
    let summary = try CELFile(SimulationOptions(calls: 2000, seed: seed, until: november)).summary
    for kind in CallKind.allCases { #expect(summary.calls[kind] ?? 0 > 0, "\(kind) with seed \(seed)") }
    #expect(summary.callCount == 2000)
  }

  @Test("makes the number of calls that was asked for", arguments: [1, 2, 7, 999, 1001])
  func count(calls: Int) throws {
    let file = try CELFile(SimulationOptions(calls: calls, until: november))
    #expect(file.summary.callCount == calls)
    #expect(file.groups.count == calls)
  }

  @Test("makes as many CELs to a call as a real system")
  func average() throws {
    let file = try usualFile.get()
    #expect(file.summary.cels == file.rows.count)
    let average = Double(file.rows.count) / Double(file.summary.callCount)
    #expect((11...17).contains(average))
  }

  @Test("says how many call logs should come of the CELs")
  func callLogs() throws {
    for file in [try usualFile.get(), try crowdFile.get()] {
      #expect(file.groups.count(where: Self.givesCallLog) == file.summary.callLogs)
      #expect(file.summary.callLogs < file.summary.callCount)
    }
  }

  /// Complete, no chat, with a source; click to call counts when the line that rang first has
  /// answered.
  private static func givesCallLog(_ group: [CELRow]) -> Bool {
    let ended = Set(group.filter { $0.event == "LINKEDID_END" }.map(\.linkedid))
    guard ended == Set(group.map(\.linkedid)), group[0]["channame"] != "Message/ast_msg_queue" else { return false }
    let starts = group.filter { $0.event == "CHAN_START" }
    guard starts[0]["channame"].hasPrefix("Local/") else {
      return !starts[0]["cid_name"].isEmpty || !starts[0]["cid_num"].isEmpty
    }
    return group.contains { $0.event == "ANSWER" && $0.uniqueid == starts[2].uniqueid }
  }

  @Test("stops at the first error of its reader and passes it on")
  func failingReader() throws {
    struct Full: Error {}
    var pieces = 0
    let simulation = try Simulation(SimulationOptions(calls: 20_000, until: november))
    #expect(throws: Full.self) {
      try simulation.writeCELs { _ in
        pieces += 1
        if pieces == 2 { throw Full() }
      }
    }
    #expect(pieces == 2)
  }

  @Test("refuses options that make no sense, naming the option")
  func invalidOptions() {
    func message(_ change: (inout SimulationOptions) -> Void) -> String {
      var options = usual
      change(&options)
      do throws(SimulationOptions.Invalid) {
        _ = try Simulation(options)
        return ""
      } catch {
        return error.description
      }
    }
    #expect(message { _ in } == "")
    #expect(message { $0.calls = 0 }.hasPrefix("--calls"))
    #expect(message { $0.days = 0 }.hasPrefix("--days"))
    #expect(message { $0.users = 11 }.contains("at least 12"))
    #expect(message { $0.users = 12 } == "")
    #expect(message { $0.tenants = 0 }.hasPrefix("--tenants"))
    #expect(message { $0.firstID = 0 }.hasPrefix("--first-id"))
    #expect(message { $0.firstID = 1 << 31 }.hasPrefix("--first-id"))
    #expect(message { $0.concurrentCalls = 0 }.hasPrefix("--busy"))
    #expect(message { $0.until = 0 }.contains("--until"))
    #expect(message { $0.until = .max }.contains("--until"))
    #expect(message { $0.until = .min }.contains("--until"))
  }
}
