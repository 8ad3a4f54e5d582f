/// The result of a simulation.
public struct SimulationSummary: Sendable, Equatable {
  /// Calls by kind. Kinds that did not occur are absent.
  public internal(set) var calls: [CallKind: Int] = [:]
  /// Number of CELs written.
  public internal(set) var cels = 0
  /// Number of call logs that the CELs should give: all calls but chat messages, most unfinished
  /// calls, and click-to-call without an answer of its user.
  public internal(set) var callLogs = 0

  /// Number of calls of all kinds.
  public var callCount: Int { calls.values.reduce(0, +) }
}
