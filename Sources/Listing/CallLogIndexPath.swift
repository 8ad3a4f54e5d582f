import CallLogs
import PostgreSQL
import Store
import Values

extension CallLogSelection {
  /// How many call logs an index may give at most. Above it, walking through the list is faster.
  private static let mostFound: Int64 = 20_000

  /// The same call logs, with a condition that an index answers by few of them; nil where no index
  /// does.
  /// - Parameter takesCounts: whether the counts by hour may be used
  /// - Throws: errors of the server
  func narrowed(takesCounts: Bool, on connection: Connection) throws -> CallLogSelection? {
    if hasOwnIndex { return self }
    if !users.isEmpty || participant != nil,
      try callsOfUsers(upTo: CallLogSelection.mostFound, on: connection) <= CallLogSelection.mostFound
    {
      return self
    }
    if takesCounts, isSought, let found = try CallLogCounts.few(self, most: CallLogSelection.mostFound, on: connection) {
      var narrowed = self
      narrowed.ids = found
      return narrowed
    }
    guard search != nil || number != nil || caller != nil || callee != nil || !tags.isEmpty || isRecorded == true else {
      return nil
    }
    let usable = try SearchIndex.usable(on: connection)
    var found: [Int32]?
    if usable.contains(.text) { found = try callLogsByText(on: connection) }
    if found == nil, usable.contains(.tags) {
      // More tags find fewer, but the first ones are enough of an attempt.
      for tag in tags.prefix(3) where found == nil { found = try callLogs(tagged: tag, on: connection) }
    }
    if found == nil, isRecorded == true { found = try recordedCallLogs(on: connection) }
    guard let found else { return nil }
    var narrowed = self
    narrowed.ids = found
    narrowed.reach = .few
    return narrowed
  }

  /// How many calls its users or its participant have, up to one more than a number.
  func callsOfUsers(upTo most: Int64, on connection: Connection) throws(PostgreSQLError) -> Int64 {
    let wanted = participant.map { [$0] } ?? users
    let rows = try connection.query(
      """
      SELECT count(*) FROM (
        SELECT FROM call_logd_call_log_participant p WHERE p.user_uuid = ANY($1) LIMIT $2) AS calls
      """, [.array(BinaryArray(uuids: wanted)), .int8(most + 1)], purpose: "Looking for a user's calls")
    return rows.int64(0, 0) ?? 0
  }

  private func callLogs(tagged tag: String, on connection: Connection) throws(PostgreSQLError) -> [Int32]? {
    try CallLogSelection.few(
      "SELECT p.call_log_id FROM call_logd_call_log_participant p WHERE p.tags @> $1::varchar[]", [.textArray([tag])], connection)
  }

  private func recordedCallLogs(on connection: Connection) throws(PostgreSQLError) -> [Int32]? {
    try CallLogSelection.few("SELECT r.call_log_id FROM call_logd_recording r", [], connection)
  }

  /// Those that the index of texts finds; nil where it finds many, or where no condition suits it.
  private func callLogsByText(on connection: Connection) throws(PostgreSQLError) -> [Int32]? {
    let patterns = indexPatterns
    guard !patterns.isEmpty else { return nil }
    var parameters: [Parameter] = []
    func bind(_ parameter: Parameter) -> String {
      parameters.append(parameter)
      return "$\(parameters.count)"
    }
    let text = SearchIndex.expression("l")
    let terms = patterns.map { alternatives in
      "(" + alternatives.map { "(\(text)) ILIKE \(bind(.text($0)))" }.joined(separator: " OR ") + ")"
    }
    var outer: [String] = []
    if !tenants.isEmpty { outer.append("m.tenant_uuid = ANY(\(bind(.array(BinaryArray(uuids: tenants)))))") }
    if let from { outer.append("m.date >= \(bind(.timestamptz(from)))") }
    if let to { outer.append("m.date < \(bind(.timestamptz(to)))") }
    let most = 5 * CallLogSelection.mostFound
    // Tenants and dates stand outside: beside the texts, the server would walk through the tenant's
    // call logs. Where the texts alone fit too many, a row without id says so: the index has then
    // not given all.
    return try CallLogSelection.few(
      """
      WITH m AS MATERIALIZED (
        SELECT l.id, l.tenant_uuid, l.date FROM call_logd_call_log l WHERE \(terms.joined(separator: " AND ")) LIMIT \(most + 1)),
        many AS MATERIALIZED (SELECT count(*) > \(most) AS are FROM m)
      SELECT NULL::int4 FROM many WHERE are UNION ALL
      SELECT m.id FROM m, many WHERE NOT are\(outer.map { " AND " + $0 }.joined())
      """, parameters, connection)
  }

  /// The ids that a statement gives; nil where it gives many, or a row without id.
  private static func few(
    _ sql: String, _ parameters: [Parameter], _ connection: Connection
  ) throws(PostgreSQLError) -> [Int32]? {
    let rows = try connection.query(
      "\(sql) LIMIT \(mostFound + 1)", parameters, purpose: "Looking up call logs by index")
    guard rows.count <= mostFound, rows.count == 0 || rows.int64(0, 0) != nil else { return nil }
    return rows.compactMap { row in row.int64(0).flatMap { Int32(exactly: $0) } }
  }
}

// MARK: Texts

extension CallLogSelection {
  /// Patterns for the text that ``SearchIndex/expression(_:)`` gives. It fits one of each, if the
  /// call log has what is searched for; other call logs' can fit, too. Empty where an index is of
  /// no use.
  ///
  /// A pattern needs three letters or digits in a row. For one without, the server reads the whole
  /// index (PostgreSQL, pg_trgm, "Index Support").
  var indexPatterns: [[String]] {
    var patterns: [[String]] = []
    if case .text(let text)? = search {
      let backslashes = text.reversed().prefix { $0 == "\\" }.count
      // A last one would take its meaning from the % behind it.
      patterns.append(["%" + text + (backslashes % 2 == 0 ? "%" : "%%")])
    }
    if let number { patterns.append(CallLogSelection.lines(number, isLast: nil)) }
    if let caller { patterns.append(CallLogSelection.lines(caller, isLast: false)) }
    if let callee { patterns.append(CallLogSelection.lines(callee, isLast: true)) }
    return patterns.filter { $0.allSatisfy(CallLogSelection.isLong) }
  }

  /// Patterns of a text with a number in a line of its own: the last one, an earlier one, or any
  /// where nothing is said.
  private static func lines(_ number: String, isLast: Bool?) -> [String] {
    let pattern = pattern(number)
    let start = pattern.hasPrefix("%") ? pattern : "%\n" + pattern
    // Behind an open end comes anything.
    if number.count > 1, number.hasSuffix("_") { return [start] }
    return (isLast != false ? [start] : []) + (isLast != true ? [start + "\n%"] : [])
  }

  /// Whether a pattern has three letters or digits in a row. Others than ASCII's are none in a
  /// database with the locale C.
  private static func isLong(_ pattern: String) -> Bool {
    var run = 0
    for character in pattern {
      run = character.isASCII && (character.isLetter || character.isNumber) ? run + 1 : 0
      if run == 3 { return true }
    }
    return false
  }
}
