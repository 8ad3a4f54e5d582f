/// What was simulated.
public struct SimulationSummary: Sendable, Equatable {
  /// Calls by kind; kinds that did not occur are missing.
  public internal(set) var calls: [CallKind: Int] = [:]
  /// Number of CELs written.
  public internal(set) var cels = 0
  /// Number of call logs that the CELs should give: all calls but chat messages, most unfinished calls, and click-to-call
  /// that its user did not answer.
  public internal(set) var callLogs = 0

  /// Number of calls of all kinds.
  public var callCount: Int { calls.values.reduce(0, +) }
}
