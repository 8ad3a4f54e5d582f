import CallLogs
import PostgreSQL
import Values

/// How many calls there were and when, and who had most of them: of the call logs that a query
/// lists.
public struct CallLogStatistics: Sendable {
  /// What can be asked for.
  public enum Part: String, CaseIterable, Sendable {
    /// Calls by time and by hour of the week.
    case calls
    /// The same, and how long was talked.
    case talk
    /// Who called most, and who was called most.
    case top
  }

  /// What somebody wants to know.
  public struct Question: Sendable {
    /// How long a period is; nil for what fits the time that is asked about.
    public var by: Unit?
    /// The zone in which days begin.
    public var zone: Zone
    /// Which parts are read.
    public var parts: Set<Part>
    /// Whether talk is told without being asked for, where call logs are read anyway: counts that
    /// are kept do not know it.
    public var takesTalk = false
    /// How many callers and callees are listed.
    public var top: Int
    /// The time at which periods end where the query names no end.
    public var now: Timestamp
    /// Periods at most.
    public var most = CallLogStatistics.mostPeriods

    /// A question of these.
    public init(
      by: Unit? = nil, zone: Zone, parts: Set<Part> = Set(Part.allCases), top: Int = CallLogStatistics.defaultTop,
      now: Timestamp
    ) {
      (self.by, self.zone, self.parts, self.top, self.now) = (by, zone, parts, top, now)
    }
  }

  /// Numbers of calls by their status, as ``CallLogView/Status`` has it.
  public struct Sums: Equatable, Sendable {
    /// Calls that were answered.
    public var answered: Int64 = 0
    /// Calls that nobody answered, and that reached no voicemail.
    public var unknown: Int64 = 0
    /// Calls that reached a voicemail.
    public var voicemail: Int64 = 0
    /// Calls that were blocked.
    public var blocked: Int64 = 0
    /// How long was talked in the answered ones, in microseconds; nil where that was not asked for.
    public var talk: Int64?

    /// No calls.
    public init() {}

    /// All calls.
    public var total: Int64 { answered &+ unknown &+ voicemail &+ blocked }

    /// The part of them that was answered, from 0 to 1; nil where there are none.
    public var share: Double? { total > 0 ? Double(answered) / Double(total) : nil }

    mutating func add(_ other: Sums) {
      answered &+= other.answered
      unknown &+= other.unknown
      voicemail &+= other.voicemail
      blocked &+= other.blocked
      if let talk, let more = other.talk { self.talk = talk &+ more }
    }
  }

  /// A period with its calls. Times are in microseconds since 2000-01-01 UTC.
  public struct Period: Equatable, Sendable {
    /// When it begins.
    public let start: Timestamp
    /// When the next one begins.
    public let end: Timestamp
    /// Its calls, as far as the query lists them.
    public var sums: Sums
  }

  /// The calls by time.
  public struct Calls: Sendable {
    /// How long a period is.
    public var by: Unit
    /// The time that is asked about, from its start until its end; nil where no calls were found
    /// and the query names no start.
    public var range: Range<Timestamp>?
    /// All periods of that time, also those without calls.
    public var periods: [Period] = []
    /// All calls together.
    public var whole = Sums()
    /// The calls of each weekday and hour, Monday first: 7 lists of 24. Talk is not among them.
    public var hours = [[Sums]](repeating: [Sums](repeating: Sums(), count: 24), count: 7)
  }

  /// Somebody who called or was called.
  public struct Party: Equatable, Sendable {
    /// The number; empty for all calls without one.
    public let number: String
    /// A name that goes with the number in one of the calls; empty where none does.
    public let name: String
    /// Calls with that number.
    public let total: Int64
    /// Those that were answered.
    public let answered: Int64
  }

  /// Periods at most.
  public static let mostPeriods = 400
  /// How many callers and callees are listed, where nothing is said.
  public static let defaultTop = 10

  /// The calls by time; nil where they were not asked for.
  public var calls: Calls?
  /// Who called most and who was called most, the greatest number first; nil where that was not
  /// asked for.
  public var top: (callers: [Party], callees: [Party])?

  /// The time has more periods of a length than are answered.
  public struct TooManyPeriods: Error, Equatable, Sendable {
    /// The length.
    public let by: Unit
    /// How many are answered.
    public let most: Int

    /// Too many of that length.
    public init(by: Unit, most: Int) { (self.by, self.most) = (by, most) }
  }

  /// Nothing that was asked for.
  public init() {}

  /// Reads the statistics of the call logs that a query has on all of its pages. All parts see one
  /// state of the tables.
  /// - Parameters:
  ///   - counts: counts by hour that something keeps; they serve queries that name nothing but
  ///     tenants, times, direction and status. nil: call logs are counted
  ///   - connection: one without a transaction
  /// - Throws: ``TooManyPeriods``, and errors of the server
  public static func read(
    _ query: CallLogQuery, _ question: Question, counts: HourlyCounts? = nil, on connection: Connection
  ) throws -> CallLogStatistics {
    try connection.transaction(.readOnly, purpose: purpose) {
      var statistics = CallLogStatistics()
      let hasTalk = question.parts.contains(.talk)
      if hasTalk || question.parts.contains(.calls) {
        statistics.calls = try calls(query, question, hasTalk: hasTalk, counts, connection)
      }
      if question.parts.contains(.top) { statistics.top = try top(query, question.top, connection) }
      return statistics
    }
  }

  static let purpose = "Counting calls"

  private static func calls(
    _ query: CallLogQuery, _ question: Question, hasTalk: Bool, _ counts: HourlyCounts?, _ connection: Connection
  ) throws -> Calls {
    let selection = query.visibleSelection
    let range = try selection.flatMap { try self.range($0, now: question.now, connection) }
    let unit = question.by ?? range.map(Unit.fitting) ?? .day
    var calls = Calls(by: unit, range: range)
    if hasTalk || question.takesTalk { calls.whole.talk = 0 }
    guard let selection, let range, !range.isEmpty else { return calls }
    guard let bounds = question.zone.bounds(of: range, by: unit, most: question.most) else {
      throw TooManyPeriods(by: unit, most: question.most)
    }
    let slots = TimeSlots(bounds: bounds, zone: question.zone)
    var kept = hasTalk || !StatisticsSQL.areServedByHours(selection, slots) ? nil : counts
    if let counts = kept, try !counts.areComplete(connection) { kept = nil }
    let tellsTalk = hasTalk || question.takesTalk && kept == nil
    var empty = Sums()
    empty.talk = tellsTalk ? 0 : nil
    calls.whole = empty
    calls.periods = zip(bounds, bounds.dropFirst()).map { Period(start: $0, end: $1, sums: empty) }
    let statement = StatisticsSQL.grouped(selection, slots, hasTalk: tellsTalk, kept)
    for row in try connection.query(statement.sql, statement.parameters, purpose: purpose) {
      var sums = Sums()
      sums.answered = row.int64(4) ?? 0
      sums.unknown = row.int64(5) ?? 0
      sums.voicemail = row.int64(6) ?? 0
      sums.blocked = row.int64(7) ?? 0
      if row.int64(0) == 0 {
        if tellsTalk { sums.talk = row.int64(8) ?? 0 }
        calls.whole.add(sums)
        let place = Int(clamping: row.int64(1) ?? 0) - 1
        if calls.periods.indices.contains(place) { calls.periods[place].sums = sums }
      } else if let weekday = row.int64(2), let hour = row.int64(3), 0..<7 ~= weekday, 0..<24 ~= hour {
        calls.hours[Int(weekday)][Int(hour)] = sums
      }
    }
    return calls
  }

  /// The time that periods are made for: what the selection names, and else from its first call
  /// until now or its last call.
  private static func range(
    _ selection: CallLogSelection, now: Timestamp, _ connection: Connection
  ) throws -> Range<Timestamp>? {
    if let from = selection.from, let until = selection.to { return from..<max(from, until) }
    let statement = StatisticsSQL.range(selection)
    let rows = try connection.query(statement.sql, statement.parameters, purpose: purpose)
    guard let first = selection.from ?? rows.timestamp(0, 0).map(Zone.clamped) else { return nil }
    let last = rows.timestamp(0, 1).map { Zone.clamped($0) + 1 } ?? first
    let until = selection.to ?? max(last, now)
    return first..<max(first, until)
  }

  private static func top(
    _ query: CallLogQuery, _ count: Int, _ connection: Connection
  ) throws -> (callers: [Party], callees: [Party]) {
    guard let selection = query.visibleSelection, count > 0 else { return ([], []) }
    let statement = StatisticsSQL.top(selection, count)
    var (callers, callees): ([Party], [Party]) = ([], [])
    for row in try connection.query(statement.sql, statement.parameters, purpose: purpose) {
      let party = Party(
        number: row.string(1) ?? "", name: row.string(2) ?? "", total: row.int64(3) ?? 0, answered: row.int64(4) ?? 0)
      if row.int64(0) == 0 { callers.append(party) } else { callees.append(party) }
    }
    return (callers, callees)
  }
}

/// Counts of calls by tenant and hour that something keeps beside the call logs, as SQL that
/// statistics read in place of the call logs.
public struct HourlyCounts: Sendable {
  /// A query of the counts of calls of a direction, or of all of them. Its columns are
  /// `tenant_uuid`, `hour` (`timestamptz`, the start of an hour of UTC), and `answered`, `unknown`,
  /// `voicemail` and `blocked` (`bigint`). Several rows may be of one hour.
  public let relation: @Sendable (Direction?) -> String
  /// Whether they have all call logs that the connection's transaction sees.
  public let areComplete: @Sendable (Connection) throws -> Bool

  /// Counts of these.
  public init(
    relation: @escaping @Sendable (Direction?) -> String,
    areComplete: @escaping @Sendable (Connection) throws -> Bool = { _ in true }
  ) {
    (self.relation, self.areComplete) = (relation, areComplete)
  }
}
