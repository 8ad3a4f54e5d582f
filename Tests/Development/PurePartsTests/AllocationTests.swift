import CallLogs
import PureParts
import Simulation
import Testing

/// Holds the parts that need no server to their counts of allocations, which hardly differ from run
/// to run and from machine to machine.
@Suite("Allocations of the pure parts", .enabled(if: Cost.countsAllocations, "needs an allocator that can be counted"))
struct AllocationTests {
  /// How many allocations to a CEL are allowed: a fifth to a quarter more than were counted when
  /// this was written. Code that is not optimised allocates for closures and the like; optimised,
  /// only the interpreter does, once for each derived UUID, and a chunk takes a few dozen.
  #if DEBUG
    private static let bounds: [(PureParts.Part, Double)] = [(.decode, 5.3), (.group, 9.4), (.interpret, 9.3), (.encode, 1.4)]
  #else
    private static let bounds: [(PureParts.Part, Double)] = [(.decode, 0.05), (.group, 0.05), (.interpret, 0.4), (.encode, 0.05)]
  #endif

  @Test("no part allocates more for a CEL than it did")
  func bounded() throws {
    let simulation = try Simulation(SimulationOptions(calls: 1500, seed: 1, until: 1_790_000_000_000_000))
    var parts = PureParts(directory: Directory(try DirectoryContents(json: simulation.directoryJSON())))
    // The same chunks once before, so that memory which is kept from chunk to chunk is there.
    for _ in 0..<2 {
      parts.reset()
      try CopiedCELs.chunks(of: 5000, calls: simulation) { try parts.run($0) }
    }
    for (part, bound) in Self.bounds {
      let perCEL = Double(parts.costs[part]?.allocations ?? 0) / Double(parts.cels)
      #expect(perCEL < bound, "\(part): \(perCEL) allocations to a CEL")
    }
    // It is call logs that were made.
    #expect(parts.cels > 15_000 && parts.callLogs > 1300 && parts.encoded > 200 * parts.callLogs)
  }

  @Test("an allocation is counted, where it is made")
  func counted() {
    var kept: [[Int]] = []
    kept.reserveCapacity(10)
    func allocations(_ numbers: Range<Int>) -> Int {
      Cost.of("arrays") { for number in numbers { kept.append([number]) } }.allocations
    }
    // Once before, since the first use of anything may allocate.
    _ = allocations(0..<1)
    let none = allocations(0..<0)
    #expect(allocations(0..<9) >= none + 9)
    #expect(none < 9)
    #expect(kept.count == 10)
  }
}
