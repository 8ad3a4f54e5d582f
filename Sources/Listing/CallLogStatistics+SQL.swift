import CallLogs
import PostgreSQL
import Values

/// The statements behind ``CallLogStatistics``.
enum StatisticsSQL {
  typealias Statement = (sql: String, parameters: [Parameter])

  /// The parameters of a statement, while it is written.
  private struct Parameters {
    var all: [Parameter]

    mutating func bind(_ parameter: Parameter) -> String {
      all.append(parameter)
      return "$\(all.count)"
    }
  }

  /// The call logs of a selection. With the tenants joined, the server finds those of a time by the
  /// index that begins with the tenant.
  private static func source(_ selection: CallLogSelection) -> String {
    selection.tenants.isEmpty && (selection.from != nil || selection.to != nil)
      ? "call_logd_tenant t JOIN call_logd_call_log l ON l.tenant_uuid = t.uuid" : "call_logd_call_log l"
  }

  // MARK: First and last

  /// The times of the first and of the last call.
  static func range(_ selection: CallLogSelection) -> Statement {
    var selection = selection
    let tenants = selection.tenants
    guard selection.isCounted else {
      // The server would otherwise walk through all call logs by time to find the first one.
      let (condition, parameters) = selection.condition
      let dates = "SELECT l.date FROM \(source(selection)) WHERE \(condition) OFFSET 0"
      return ("SELECT min(x.date), max(x.date) FROM (\(dates)) AS x", parameters)
    }
    if tenants.count == 1 {
      let (condition, parameters) = selection.condition
      return ("SELECT min(l.date), max(l.date) FROM call_logd_call_log l WHERE \(condition)", parameters)
    }
    selection.tenants = []
    let (condition, all) = selection.condition
    var parameters = Parameters(all: all)
    let list =
      tenants.isEmpty
      ? "call_logd_tenant t" : "unnest(\(parameters.bind(.array(BinaryArray(uuids: tenants))))) AS t (uuid)"
    return (
      """
      SELECT min(x.first), max(x.last) FROM \(list), LATERAL (
        SELECT min(l.date) AS first, max(l.date) AS last FROM call_logd_call_log l
        WHERE l.tenant_uuid = t.uuid AND \(condition)) AS x
      """, parameters.all
    )
  }

  // MARK: Calls by time

  /// Calls by period, and by weekday and hour. A row of a period begins with 0, and has the
  /// period's place from 1 on; a row of an hour begins with 1, and has weekday (0 is Monday) and
  /// hour. Then come the numbers by status, and the microseconds of talk.
  static func grouped(
    _ selection: CallLogSelection, _ slots: TimeSlots, hasTalk: Bool, _ counts: HourlyCounts?
  ) -> Statement {
    let (condition, all) = selection.condition
    var parameters = Parameters(all: all)
    let calls =
      counts.map { kept($0, selection, condition, slots, &parameters) }
      ?? counted(selection, condition, slots, hasTalk: hasTalk, &parameters)
    let starts = parameters.bind(.int8Array(slots.starts))
    let changes = parameters.bind(.int8Array(slots.changes))
    let offsets = parameters.bind(.int8Array(slots.offsets))
    // The clocks' time counts from Monday, 1 January of year 1, and so is never negative.
    return (
      """
      SELECT grouping(s.period), s.period, s.weekday, s.hour,
        sum(s.answered)::int8, sum(s.unknown)::int8, sum(s.voicemail)::int8, sum(s.blocked)::int8,
        (extract(epoch FROM sum(s.talk)) * 1000000)::int8
      FROM (
        SELECT w.*, width_bucket(w.second, \(starts)) AS period, w.wall / 86400 % 7 AS weekday, w.wall % 86400 / 3600 AS hour
        FROM (
          SELECT e.*, e.second + (\(offsets)::int8[])[width_bucket(e.second, \(changes))] + 62135596800 AS wall
          FROM (SELECT c.*, extract(epoch FROM c.at)::int8 AS second FROM (\(calls)) AS c) AS e) AS w) AS s
      GROUP BY GROUPING SETS ((s.period), (s.weekday, s.hour))
      """, parameters.all
    )
  }

  /// The calls of each piece of time, counted.
  private static func counted(
    _ selection: CallLogSelection, _ condition: String, _ slots: TimeSlots, hasTalk: Bool, _ parameters: inout Parameters
  ) -> String {
    let length = parameters.bind(.int8(slots.length))
    let talk = hasTalk ? "sum(greatest(l.date_end - l.date_answer, interval '0'))" : "NULL::interval"
    let date = clamped("l.date")
    return """
      SELECT g.at, \(CallLogView.Status.columns { "CASE g.status WHEN '\($0)' THEN g.calls ELSE 0 END" }),
        CASE g.status WHEN 'answered' THEN g.talk END AS talk
      FROM (
        SELECT date_bin(make_interval(secs => \(length)::float8), \(date), '2000-01-01 00:00Z'::timestamptz) AS at,
          \(CallLogSelection.status) AS status, count(*) AS calls, \(talk) AS talk
        FROM \(source(selection)) WHERE \(condition) GROUP BY 1, 2) AS g
      """
  }

  /// A time, with a time of the calendar for an infinite one.
  private static func clamped(_ time: String) -> String {
    "least(greatest(\(time), '0001-01-02 00:00Z'::timestamptz), '9999-12-30 00:00Z'::timestamptz)"
  }

  /// Whether counts by hour tell what a selection has: it names nothing that they do not know, it
  /// has whole hours, and no hour is in two periods.
  static func areServedByHours(_ selection: CallLogSelection, _ slots: TimeSlots) -> Bool {
    let (first, end) = wholeHours(of: selection)
    return slots.length == 3600 && selection.isCounted && (first ?? .min) < (end ?? .max)
  }

  /// When the whole hours of a selection begin and end.
  private static func wholeHours(of selection: CallLogSelection) -> (first: Timestamp?, end: Timestamp?) {
    let hour: Int64 = 3_600_000_000
    let first = selection.from.map { from in
      let before = from.floorDivided(by: hour) * hour
      return before == from ? from : before + hour
    }
    return (first, selection.to.map { $0.floorDivided(by: hour) * hour })
  }

  /// The calls of each whole hour from counts that are kept, and those before the first and after
  /// the last whole hour, counted.
  private static func kept(
    _ counts: HourlyCounts, _ selection: CallLogSelection, _ condition: String, _ slots: TimeSlots,
    _ parameters: inout Parameters
  ) -> String {
    let (first, end) = wholeHours(of: selection)
    var terms: [String] = []
    if !selection.tenants.isEmpty {
      terms.append("k.tenant_uuid = ANY(\(parameters.bind(.array(BinaryArray(uuids: selection.tenants)))))")
    }
    if let first { terms.append("k.hour >= \(parameters.bind(.timestamptz(first)))") }
    if let end { terms.append("k.hour < \(parameters.bind(.timestamptz(end)))") }
    let wanted = selection.statuses ?? Set(CallLogView.Status.allCases).subtracting([.blocked])
    let columns = CallLogView.Status.columns { name in
      wanted.contains { $0.rawValue == name } ? "k.\(name)" : "0::int8"
    }
    let relation = counts.relation(selection.direction)
    var pieces = [
      """
      SELECT \(clamped("k.hour")) AS at, \(columns), NULL::interval AS talk FROM (\(relation)) AS k
      WHERE \(terms.isEmpty ? "true" : terms.joined(separator: " AND "))
      """
    ]
    if let first, first != selection.from {
      let edge = "\(condition) AND l.date < \(parameters.bind(.timestamptz(first)))"
      pieces.append(counted(selection, edge, slots, hasTalk: false, &parameters))
    }
    if let end, end != selection.to {
      let edge = "\(condition) AND l.date >= \(parameters.bind(.timestamptz(end)))"
      pieces.append(counted(selection, edge, slots, hasTalk: false, &parameters))
    }
    return pieces.joined(separator: " UNION ALL ")
  }

  // MARK: Who

  /// The numbers with most calls: 0 for callers and 1 for callees, the number, a name, calls,
  /// answered calls.
  static func top(_ selection: CallLogSelection, _ count: Int) -> Statement {
    let (condition, all) = selection.condition
    var parameters = Parameters(all: all)
    let most = parameters.bind(.int8(Int64(count)))
    // Texts compare by their bytes: the order of a language costs more than all the rest.
    return (
      """
      SELECT r.side, r.number, r.name, r.total, r.answered FROM (
        SELECT g.*, row_number() OVER (PARTITION BY g.side ORDER BY g.total DESC, g.number COLLATE "C") AS place FROM (
          SELECT grouping(c.caller) AS side, coalesce(c.caller, c.callee) AS number,
            CASE grouping(c.caller) WHEN 0 THEN max(c.caller_name) ELSE max(c.callee_name) END AS name,
            count(*) AS total, count(*) FILTER (WHERE c.status = 'answered') AS answered
          FROM (
            SELECT coalesce(l.source_exten, '') COLLATE "C" AS caller, coalesce(l.destination_exten, '') COLLATE "C" AS callee,
              l.source_name COLLATE "C" AS caller_name, l.destination_name COLLATE "C" AS callee_name,
              \(CallLogSelection.status) AS status
            FROM \(source(selection)) WHERE \(condition)) AS c
          GROUP BY GROUPING SETS ((c.caller), (c.callee))) AS g) AS r
      WHERE r.place <= \(most) ORDER BY r.side, r.place
      """, parameters.all
    )
  }
}

extension CallLogView.Status {
  /// A column for each status, with the status for a name.
  fileprivate static func columns(_ value: (_ name: String) -> String) -> String {
    ["answered", "unknown", "voicemail", "blocked"].map { "\(value($0)) AS \($0)" }.joined(separator: ", ")
  }
}
