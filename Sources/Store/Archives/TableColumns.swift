import PostgreSQL

/// The columns of a table that archives contain.
public struct TableColumns: Sendable {
  /// Name and type of each column, in the table's order, without generated columns, which the
  /// server fills.
  public let columns: [(name: String, type: String)]

  /// Reads the columns of a table.
  /// - Parameter table: the table's name, quoted if needed
  public static func read(_ table: String, on connection: Connection) throws(PostgreSQLError) -> TableColumns {
    let rows = try connection.query(
      """
      SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute
      WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
      """, [.text(table)], purpose: "Looking up the columns of \(table)")
    return TableColumns(columns: rows.map { ($0.string(0) ?? "", $0.string(1) ?? "") })
  }

  /// The quoted names, each after `prefix`, separated by commas.
  public func list(_ prefix: String = "") -> String { TableColumns.list(columns.map(\.name), prefix) }

  static func list(_ names: [String], _ prefix: String = "") -> String {
    names.map { prefix + Connection.quoteIdentifier($0) }.joined(separator: ", ")
  }
}

extension Connection {
  /// Runs the closure with text forms of values that are lossless and equal on all servers. It
  /// needs a transaction.
  func withTextForms<T>(_ body: () throws -> T) throws -> T {
    // The session's zone converts CEL times that have no zone, so it must be restored.
    let zone = try query("SELECT current_setting('TimeZone')", purpose: "Looking up the session's zone").string(0, 0)
    try setInputForms()
    try script("SET LOCAL TimeZone = 'UTC'", purpose: "Setting the forms of values")
    let value = try body()
    _ = try query(
      "SELECT set_config('TimeZone', $1, true)", [.text(zone ?? "UTC")], purpose: "Restoring the session's zone")
    return value
  }

  /// Sets the text forms of input values until the end of the transaction. Times carry their
  /// offset.
  func setInputForms() throws(PostgreSQLError) {
    try script(
      "SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1",
      purpose: "Setting the forms of values")
  }
}

extension Sequence<Int64> {
  /// These numbers as ascending ranges. `Int64.max` is left out, because no range can end above it.
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
