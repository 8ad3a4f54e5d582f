import CCounters

/// The cost of some work: the thread's processor time, allocations and, if the processor counts
/// them, instructions.
package struct Cost {
  /// Processor time in seconds.
  package var seconds: Double
  /// Allocations of memory.
  package var allocations: Int
  /// Instructions outside the kernel; nil if they cannot be counted.
  package var instructions: Int?

  /// Makes a cost, by default of nothing.
  package init(seconds: Double = 0, allocations: Int = 0, instructions: Int? = nil) {
    self.seconds = seconds
    self.allocations = allocations
    self.instructions = instructions
  }

  /// Adds the cost of other work.
  package static func += (sum: inout Cost, more: Cost) {
    sum.seconds += more.seconds
    sum.allocations += more.allocations
    if let instructions = more.instructions { sum.instructions = (sum.instructions ?? 0) + instructions }
  }

  /// Whether this platform counts allocations.
  package static var countsAllocations: Bool { counters_counts_allocations() }
  /// Whether the program runs under callgrind.
  package static var isUnderCallgrind: Bool { counters_under_callgrind() }

  // One for the process. It counts for the thread that opened it, and the harness has one thread.
  private static let instructionCounter = counters_open_instructions()

  /// Runs `body` and measures it. Under callgrind its instructions go to a file with `name` in its
  /// name.
  /// - Throws: the error of `body`
  package static func of(_ name: String, _ body: () throws -> Void) rethrows -> Cost {
    let counter = instructionCounter
    if isUnderCallgrind { counters_callgrind_zero() }
    let allocations = counters_allocations()
    let nanoseconds = counters_thread_nanoseconds()
    let instructions = counter < 0 ? 0 : counters_instructions(counter)
    try body()
    let executed = counter < 0 ? nil : Int(counters_instructions(counter) - instructions)
    let cost = Cost(
      seconds: Double(counters_thread_nanoseconds() - nanoseconds) / 1e9, allocations: Int(counters_allocations() - allocations),
      instructions: executed)
    if isUnderCallgrind { counters_callgrind_dump(name) }
    return cost
  }
}
