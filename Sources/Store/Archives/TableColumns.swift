import PostgreSQL

/// The columns of a table, as archives hold them.
public struct TableColumns: Sendable {
  /// Name and type of each, in the table's order; generated columns are left out, for they come by themselves.
  public let columns: [(name: String, type: String)]

  /// Looks them up.
  /// - Parameter table: quoted where it must be
  public static func read(_ table: String, on connection: Connection) throws(PostgreSQLError) -> TableColumns {
    let rows = try connection.query(
      """
      SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute
      WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
      """, [.text(table)], purpose: "Looking up the columns of \(table)")
    return TableColumns(columns: rows.map { ($0.string(0) ?? "", $0.string(1) ?? "") })
  }

  /// The names quoted and separated by commas, each behind `prefix`.
  public func list(_ prefix: String = "") -> String { TableColumns.list(columns.map(\.name), prefix) }

  static func list(_ names: [String], _ prefix: String = "") -> String {
    names.map { prefix + Connection.quoteIdentifier($0) }.joined(separator: ", ")
  }
}

extension Connection {
  /// Runs the closure while values are written as text in forms that are the same everywhere and lose nothing. Needs a transaction.
  func withTextForms<T>(_ body: () throws -> T) throws -> T {
    // The session's zone tells the instant of CELs without a zone, and must be itself again afterwards.
    let zone = try query("SELECT current_setting('TimeZone')", purpose: "Looking up the session's zone").string(0, 0)
    try setInputForms()
    try script("SET LOCAL TimeZone = 'UTC'", purpose: "Setting the forms of values")
    let value = try body()
    _ = try query(
      "SELECT set_config('TimeZone', $1, true)", [.text(zone ?? "UTC")], purpose: "Setting the session's zone again")
    return value
  }

  /// Sets the forms in which values are read from text, until the end of the transaction; times have their offset with them.
  func setInputForms() throws(PostgreSQLError) {
    try script(
      "SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1",
      purpose: "Setting the forms of values")
  }
}

extension Sequence<Int64> {
  /// The same numbers as ranges, ascending; without the greatest number there is, above which no range can end.
  public var ranges: [Range<Int64>] {
    var ranges: [Range<Int64>] = []
    for id in sorted() where id < .max {
      if let last = ranges.last, last.upperBound == id {
        ranges[ranges.count - 1] = last.lowerBound..<id + 1
      } else if ranges.last?.contains(id) != true {
        ranges.append(id..<id + 1)
      }
    }
    return ranges
  }
}
