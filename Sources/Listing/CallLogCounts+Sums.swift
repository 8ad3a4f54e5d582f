import CallLogs
import PostgreSQL
import Store
import Values

extension CallLogCounts {
  /// Call logs that began in an hour.
  public struct Hour: Equatable, Sendable {
    /// The start of the hour, in microseconds since 2000-01-01 UTC.
    public var start: Timestamp
    fileprivate var numbers: [Int]

    /// How many there are of a direction and a status.
    /// - Parameter direction: nil for those without a direction
    public subscript(direction: Direction?, status: CallLogView.Status) -> Int {
      columns.firstIndex(of: column(direction, status)).map { numbers[$0] } ?? 0
    }
  }

  /// The counts of each hour that has call logs, of all these tenants together, the earliest first.
  /// - Parameters:
  ///   - from: the first hour is the one that begins at this time or after it, in microseconds
  ///     since 2000-01-01 UTC; nil for the first one
  ///   - to: the last hour is the one that ends at this time or before it; nil for the last one
  /// - Returns: nil where nothing keeps counts
  /// - Throws: `PostgreSQLError`
  public static func hours(
    tenants: VisibleTenants, from: Timestamp? = nil, to: Timestamp? = nil, on connection: Connection
  ) throws -> [Hour]? {
    guard try areKept(on: connection) else { return nil }
    var parameters: [Parameter] = []
    let condition = condition(tenants.list ?? [], from: from, to: to) { parameter in
      parameters.append(parameter)
      return "$\(parameters.count)"
    }
    let sums = columns.map { "sum(\($0))" }.joined(separator: ", ")
    let rows = try connection.query(
      "SELECT hour, \(sums) FROM \(both) WHERE \(condition) GROUP BY hour ORDER BY hour", parameters,
      purpose: "Reading counts of call logs")
    return rows.map { row in
      Hour(start: row.timestamp(0) ?? 0, numbers: columns.indices.map { Int(clamping: row.int64($0 + 1) ?? 0) })
    }
  }

  fileprivate static let both = "(SELECT * FROM call_logd_count UNION ALL SELECT * FROM call_logd_count_change) AS c"

  fileprivate static func column(_ direction: Direction?, _ status: CallLogView.Status) -> String {
    "\(direction?.rawValue ?? "none")_\(status.rawValue)"
  }

  private static func condition(
    _ tenants: [UUIDValue], from: Timestamp?, to: Timestamp?, _ bind: (Parameter) -> String
  ) -> String {
    var terms: [String] = []
    if tenants.count == 1 {
      terms.append("c.tenant_uuid = \(bind(.uuid(tenants[0])))")
    } else if !tenants.isEmpty {
      terms.append("c.tenant_uuid = ANY(\(bind(.array(BinaryArray(uuids: tenants)))))")
    }
    if let from { terms.append("c.hour >= \(bind(.timestamptz(from)))") }
    if let to { terms.append("c.hour <= \(bind(.timestamptz(to)))::timestamptz - interval '1 hour'") }
    return terms.isEmpty ? "true" : terms.joined(separator: " AND ")
  }

  /// Call logs that are read at most to find those of a kind.
  private static let mostRead = 200_000

  /// The call logs of a selection in the hours that have some; nil where there are more than a
  /// number, or where nothing is known of it.
  /// - Throws: `PostgreSQLError`
  static func few(_ selection: CallLogSelection, most: Int64, on connection: Connection) throws -> [Int32]? {
    var whole = selection
    (whole.before, whole.after) = (nil, nil)
    guard let number = try number(of: whole, on: connection), number <= most else { return nil }
    let names = names(selection)
    guard !names.isEmpty else { return [] }
    var parameters: [Parameter] = []
    func bind(_ parameter: Parameter) -> String {
      parameters.append(parameter)
      return "$\(parameters.count)"
    }
    let hours = condition(selection.tenants, from: selection.from.map { below($0) }, to: nil, bind)
    let terms = selection.terms(bind).joined(separator: " AND ")
    // OFFSET makes the server look at each hour, instead of all call logs. An hour may be infinite,
    // as a date may. Where these hours have many other call logs, a row without id says so.
    let rows = try connection.query(
      """
      WITH h AS MATERIALIZED (
        SELECT DISTINCT c.tenant_uuid, c.hour FROM \(both) WHERE \(hours) AND (\(names.map { "c.\($0) <> 0" }.joined(separator: " OR ")))),
        many AS MATERIALIZED (
          SELECT coalesce(sum(\(columns.map { "c.\($0)" }.joined(separator: " + "))), 0) > \(mostRead) AS are
          FROM h JOIN \(both) USING (tenant_uuid, hour))
      SELECT NULL::int4 FROM many WHERE are UNION ALL
      SELECT l.id FROM many, h, LATERAL (
        SELECT l.id FROM call_logd_call_log l WHERE l.tenant_uuid = h.tenant_uuid AND l.date >= h.hour
          AND l.date <= h.hour + interval '59 minutes 59.999999 seconds' AND \(terms) OFFSET 0) AS l
      WHERE NOT many.are
      """, parameters, purpose: "Looking up call logs by the hour")
    guard rows.count == 0 || rows.int64(0, 0) != nil else { return nil }
    return rows.compactMap { row in row.int64(0).flatMap { Int32(exactly: $0) } }
  }

  /// The columns that count what a selection selects.
  private static func names(_ selection: CallLogSelection) -> [String] {
    let statuses = selection.statuses ?? Set(CallLogView.Status.allCases).subtracting([.blocked])
    let directions: [Direction?] = selection.direction.map { [$0] } ?? [.inbound, .internal, .outbound, nil]
    return directions.flatMap { direction in statuses.map { column(direction, $0) } }.sorted()
  }

  /// The start of the hour of a time.
  private static func below(_ time: Timestamp) -> Timestamp { time - (time % hour + hour) % hour }

  /// How many call logs a selection has, by whole hours from the counts and by the table for the
  /// rest.
  /// - Returns: nil where the selection has other conditions than tenants, dates, direction and
  ///   status, where it has no whole hour, or where nothing keeps counts
  /// - Throws: `PostgreSQLError`
  static func number(of selection: CallLogSelection, on connection: Connection) throws -> Int? {
    guard selection.isCounted, let (from, to) = wholeHours(selection.from, selection.to), try areKept(on: connection) else {
      return nil
    }
    let names = names(selection)
    guard !names.isEmpty else { return 0 }
    var parameters: [Parameter] = []
    func bind(_ parameter: Parameter) -> String {
      parameters.append(parameter)
      return "$\(parameters.count)"
    }
    let hours = condition(selection.tenants, from: from, to: to, bind)
    var parts = [
      "coalesce((SELECT sum(\(names.map { "c.\($0)" }.joined(separator: " + "))) FROM \(both) WHERE \(hours)), 0)"
    ]
    func addEdge(_ from: Timestamp?, _ to: Timestamp?) {
      var edge = selection
      (edge.from, edge.to) = (from, to)
      parts.append("(SELECT count(*) FROM call_logd_call_log l WHERE \(edge.terms(bind).joined(separator: " AND ")))")
    }
    if selection.from != from { addEdge(selection.from, from) }
    if selection.to != to { addEdge(to, selection.to) }
    let rows = try connection.query(
      "SELECT (\(parts.joined(separator: " + ")))::int8", parameters, purpose: "Counting call logs")
    return Int(clamping: rows.int64(0, 0) ?? 0)
  }

  /// The whole hours between two times: from the first one's start to the last one's end. nil where
  /// there is none, and where a time is none of a calendar.
  private static func wholeHours(_ from: Timestamp?, _ to: Timestamp?) -> (Timestamp?, Timestamp?)? {
    // The first and the last number are infinite times.
    let known = (Int64.min + 2 * hour)...(Int64.max - 2 * hour)
    guard from.map(known.contains) ?? true, to.map(known.contains) ?? true else { return nil }
    let first = from.map { below($0 + hour - 1) }
    let last = to.map(below)
    if let first, let last, first >= last { return nil }
    return (first, last)
  }
}

extension CallLogSelection {
  /// Whether counts by hour know how many call logs it has: it has no other conditions than
  /// tenants, dates, direction and status.
  var isCounted: Bool {
    tags.isEmpty && number == nil && caller == nil && callee == nil && users.isEmpty && conversation == nil && search == nil
      && isRecorded == nil && firstID == nil && ids == nil && requestedInternalExtension == nil
      && requestedInternalContext == nil && participant == nil && !isLatestOfPeer && before == nil && after == nil
  }
}

extension HourlyCounts {
  /// The counts that triggers keep, for statistics.
  public static let kept = HourlyCounts { direction in
    let directions: [Direction?] = direction.map { [$0] } ?? [.inbound, .internal, .outbound, nil]
    let sums = CallLogView.Status.allCases.map { status in
      "(" + directions.map { "c.\(CallLogCounts.column($0, status))::int8" }.joined(separator: " + ") + ") AS \(status.rawValue)"
    }
    return "SELECT c.tenant_uuid, c.hour, \(sums.joined(separator: ", ")) FROM \(CallLogCounts.both)"
  } areComplete: { connection in
    try CallLogCounts.areKept(on: connection)
  }
}
