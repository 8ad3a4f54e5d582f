import CallLogs
import PostgreSQL
import Store
import Values

/// How many call logs a query has, and how many of them were answered.
public struct CallLogTally: Equatable, Sendable {
  /// The call logs that were counted.
  public let calls: Int
  /// Those of them whose status is ``CallLogView/Status/answered``.
  public let answered: Int
  /// Whether the query has more call logs than were counted.
  public let isMore: Bool

  /// These counts.
  public init(calls: Int, answered: Int, isMore: Bool) { (self.calls, self.answered, self.isMore) = (calls, answered, isMore) }
}

extension CallLogTables {
  /// Counts the call logs of a query, the first of its order, and those of them that were answered.
  /// Where counts by hour know the numbers of all, it gives those.
  /// - Parameter most: how many are counted at most where they do not
  /// - Throws: `PostgreSQLError`.
  public static func tally(of query: CallLogQuery, most: Int, on connection: Connection) throws -> CallLogTally {
    if query.takesCounts, let selection = query.visibleSelection,
      let calls = try CallLogCounts.number(of: selection, on: connection)
    {
      var answered = selection
      answered.statuses = selection.statuses?.intersection([.answered]) ?? [.answered]
      // Calls that come between the two statements are in the second number alone.
      let number = try CallLogCounts.number(of: answered, on: connection) ?? 0
      return CallLogTally(calls: calls, answered: min(calls, number), isMore: false)
    }
    var query = query
    query.limit = Int64(most) + 1
    let ids = try ids(of: query, on: connection)
    let answered = try connection.query(
      """
      SELECT count(*)::int8 FROM call_logd_call_log l
      WHERE l.id = ANY($1) AND l.blocked IS NOT TRUE AND l.date_answer IS NOT NULL
      """, [.int4Array(Array(ids.prefix(most)))], purpose: "Counting answered calls"
    ).int64(0, 0)
    return CallLogTally(calls: min(ids.count, most), answered: Int(clamping: answered ?? 0), isMore: ids.count > most)
  }

  /// The users whose name contains a text, in upper or lower case. The names are those of Wazo's
  /// table of users, where the database has it, and those in the newest call logs of a query.
  /// - Parameters:
  ///   - query: whose call logs are looked at
  ///   - directory: whether Wazo's table of users is looked at, too
  ///   - most: users at most
  /// - Returns: each user once, with the number of users limited
  /// - Throws: `PostgreSQLError`.
  public static func users(
    named text: String, in query: CallLogQuery, directory: Bool, most: Int, on connection: Connection
  ) throws -> [UUIDValue] {
    var users: Set<UUIDValue> = []
    let pattern = "%" + escaped(text) + "%"
    for row in try rows(ofNames: pattern, in: query, directory: directory, most: most, on: connection) {
      if let user = row.uuid { users.insert(user) }
    }
    return Array(users.sorted().prefix(most))
  }

  /// Names of users that begin with a text, or one of whose words does, in upper or lower case.
  /// The names come from where ``users(named:in:directory:most:on:)`` looks for them.
  /// - Returns: each name once, in the order of the alphabet
  /// - Throws: `PostgreSQLError`.
  public static func userNames(
    beginning text: String, in query: CallLogQuery, directory: Bool, most: Int, on connection: Connection
  ) throws -> [String] {
    var names: Set<String> = []
    for pattern in [escaped(text) + "%", "% " + escaped(text) + "%"] where names.count < most {
      names.formUnion(try rows(ofNames: pattern, in: query, directory: directory, most: most, on: connection).map(\.name))
    }
    return Array(names.sorted().prefix(most))
  }

  /// Tags in the newest call logs of a query that begin with a text, in upper or lower case.
  /// - Returns: each tag once, the most frequent first
  /// - Throws: `PostgreSQLError`.
  public static func tags(
    beginning text: String, in query: CallLogQuery, most: Int, on connection: Connection
  ) throws -> [String] {
    let ids = try newest(of: query, on: connection)
    let rows = try connection.query(
      """
      SELECT t.tag::text FROM call_logd_call_log_participant p, unnest(p.tags) AS t (tag)
      WHERE p.call_log_id = ANY($1) AND t.tag ILIKE $2 GROUP BY t.tag ORDER BY count(*) DESC, t.tag LIMIT $3
      """, [.int4Array(ids), .text(escaped(text) + "%"), .int8(Int64(most))], purpose: "Looking for tags")
    return rows.compactMap { $0.string(0) }
  }

  // MARK: Where names are looked for

  /// How many of the newest call logs are looked at, so that nobody waits for a walk through all.
  private static let looked: Int64 = 5000

  private static func newest(of query: CallLogQuery, on connection: Connection) throws -> [Int32] {
    var query = query
    query.limit = looked
    return try ids(of: query, on: connection)
  }

  private static func rows(
    ofNames pattern: String, in query: CallLogQuery, directory: Bool, most: Int, on connection: Connection
  ) throws -> [(uuid: UUIDValue?, name: String)] {
    // A user may have several names.
    let most = most * 10
    let known = directory ? try directoryRows(pattern, query.tenants, most, connection) : []
    // The participant that a name belongs to: the caller, or the one callee that answered.
    let rows = try connection.query(
      """
      SELECT DISTINCT x.user_uuid, x.name FROM (
        SELECT p.user_uuid, CASE p.role WHEN 'source' THEN coalesce(nullif(l.source_internal_name, ''), l.source_name)
          ELSE l.destination_name END AS name
        FROM call_logd_call_log_participant p JOIN call_logd_call_log l ON l.id = p.call_log_id
        WHERE p.call_log_id = ANY($1) AND (p.role = 'source' OR p.answered)) AS x
      WHERE x.name ILIKE $2 ORDER BY x.name, x.user_uuid LIMIT $3
      """, [.int4Array(try newest(of: query, on: connection)), .text(pattern), .int8(Int64(most))],
      purpose: "Looking for users")
    return known + rows.compactMap { row in row.string(1).map { (row.uuid(0), $0) } }
  }

  /// Users of Wazo's table, where this database has it and its role may read it.
  private static func directoryRows(
    _ pattern: String, _ tenants: VisibleTenants, _ most: Int, _ connection: Connection
  ) throws -> [(uuid: UUIDValue?, name: String)] {
    let isThere = try connection.query(
      """
      SELECT count(*) = 4 AND bool_and(has_column_privilege(a.attrelid, a.attnum, 'SELECT')) FROM pg_attribute a
      WHERE a.attrelid = to_regclass('userfeatures') AND NOT a.attisdropped
        AND a.attname IN ('uuid', 'tenant_uuid', 'firstname', 'lastname')
      """, purpose: "Looking for Wazo's users")
    guard isThere.bool(0, 0) == true else { return [] }
    var parameters: [Parameter] = [.text(pattern), .int8(Int64(most))]
    var condition = ""
    if let list = tenants.list {
      parameters.append(.textArray(list.map(\.description)))
      condition = "AND u.tenant_uuid::text = ANY($3)"
    }
    let rows = try connection.query(
      """
      SELECT u.uuid::text, u.name FROM (
        SELECT uuid, tenant_uuid, btrim(concat_ws(' ', nullif(firstname, ''), nullif(lastname, ''))) AS name FROM userfeatures) AS u
      WHERE u.name ILIKE $1 \(condition) ORDER BY u.name, u.uuid LIMIT $2
      """, parameters, purpose: "Looking for Wazo's users")
    return rows.compactMap { row in row.string(1).map { (row.string(0).flatMap { UUIDValue($0) }, $0) } }
  }

  /// A text as a pattern for LIKE that means nothing but itself.
  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
  }
}
