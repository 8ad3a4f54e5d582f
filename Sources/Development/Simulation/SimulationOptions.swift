/// What to simulate: how many calls, when, between whom.
public struct SimulationOptions: Sendable, Equatable {
  /// Number of calls, 1 or more. A SIP chat message counts as one, although it never becomes a call log.
  public var calls: Int
  /// Start of every random choice: the same seed and options give the same bytes.
  public var seed: UInt64
  /// Length of the period over which the calls are spread, in days, with the profile of working hours.
  public var days: Int
  /// End of the period, in microseconds since 1970-01-01 UTC. No event is later.
  public var until: Int64
  /// Number of users, over all tenants.
  public var users: Int
  /// Number of tenants.
  public var tenants: Int
  /// Id of the first CEL; the others follow without gaps. Channel sequence numbers start there too, so that runs with
  /// separate ids never share a uniqueid.
  public var firstID: Int64
  /// About how many calls are up at the same time, evenly day and night; the period is then as long as that takes and
  /// `days` is not read. Nil: the working-hours profile.
  public var concurrentCalls: Int?

  /// Options with the defaults of `simulate-calls`.
  ///
  /// - Parameter until: End of the period, in microseconds since 1970-01-01 UTC; the library reads no clock.
  public init(
    calls: Int = 2000, seed: UInt64 = 1, days: Int = 30, until: Int64, users: Int = 200, tenants: Int = 2,
    firstID: Int64 = 1, concurrentCalls: Int? = nil
  ) {
    self.calls = calls
    self.seed = seed
    self.days = days
    self.until = until
    self.users = users
    self.tenants = tenants
    self.firstID = firstID
    self.concurrentCalls = concurrentCalls
  }

  /// An option that cannot be simulated.
  public struct Invalid: Error, Equatable, CustomStringConvertible {
    /// What is wrong, in terms of the options of `simulate-calls`, and what would be right.
    public let description: String
  }

  /// The longest stretch before `until` in which no call starts, so that every call is over by then.
  static let longestCall: Int64 = 3600 * .second

  /// A simulated call's mean duration; turns a number of concurrent calls into a length of time.
  static let meanCall: Int64 = 71 * .second

  /// Fewer users in a tenant could not make a group call, a pickup or a transfer among them.
  static let leastUsersPerTenant = 6

  /// First and last moment at which a call may start, in microseconds since 1970-01-01 UTC.
  var startPeriod: Range<Int64> {
    let end = until - Self.longestCall
    guard let concurrentCalls else { return (until - Int64(days) * .day)..<end }
    return (end - max(.second, Int64(calls) * Self.meanCall / Int64(max(1, concurrentCalls))))..<end
  }

  /// Checks that all options can be simulated together.
  ///
  /// - Throws: `Invalid` with a message for the user.
  public func validate() throws(Invalid) {
    func check(_ holds: Bool, _ message: String) throws(Invalid) {
      if !holds { throw Invalid(description: message) }
    }
    try check((1...100_000_000).contains(calls), "--calls must be between 1 and 100000000, not \(calls)")
    try check((1...36_500).contains(days), "--days must be between 1 and 36500, not \(days)")
    try check((1...1000).contains(tenants), "--tenants must be between 1 and 1000, not \(tenants)")
    try check((1...1_000_000).contains(users), "--users must be between 1 and 1000000, not \(users)")
    try check(
      users >= tenants * Self.leastUsersPerTenant,
      "--users must be at least \(tenants * Self.leastUsersPerTenant) for --tenants \(tenants) "
        + "(\(Self.leastUsersPerTenant) to a tenant), not \(users)")
    try check(
      (1...Int64(Int32.max)).contains(firstID),
      "--first-id must be between 1 and \(Int32.max) (cel.id is an integer), not \(firstID)")
    if let concurrentCalls {
      try check((1...100_000).contains(concurrentCalls), "--busy must be between 1 and 100000, not \(concurrentCalls)")
    }
    try check(
      (0..<SimulatedTime.endOfYear9999).contains(until) && startPeriod.lowerBound >= 0,
      "the period must lie between the years 1970 and 9999; change --until, --days or --busy")
  }
}

extension Int64 {
  /// A second, in the microseconds that all times here are counted in.
  static let second: Int64 = 1_000_000
  /// A minute in microseconds.
  static let minute: Int64 = 60 * second
  /// A day in microseconds.
  static let day: Int64 = 86_400 * second
}
