import PostgreSQL

/// The id sequence of a table that receives rows from an archive, and the writers of that table.
public struct IDSequence: Sendable {
  /// The sequence's name, quoted if needed.
  public let name: String
  /// The oid of the table.
  private let table: Int64

  /// Finds the sequence of a CEL table; nil where its ids do not come from a sequence.
  public init?(of table: CELTable) {
    guard let sequence = table.sequence else { return nil }
    (name, self.table) = (sequence, table.identity.table)
  }

  /// Finds the sequence of the call logs; nil where there is none.
  public init?(ofCallLogs connection: Connection) throws(PostgreSQLError) {
    let rows = try connection.query(
      "SELECT pg_get_serial_sequence('call_logd_call_log', 'id'), 'call_logd_call_log'::regclass::oid::int8",
      purpose: "Looking up the sequence of ids")
    guard let sequence = rows.string(0, 0), let table = rows.int64(0, 1) else { return nil }
    (name, self.table) = (sequence, table)
  }

  /// Raises the sequence to `greatest` if it is lower, so that new rows get greater ids. PostgreSQL
  /// does not undo this with the transaction.
  /// - Returns: the present writers of the table, which may have taken a lower id before; empty
  ///   where the sequence was not lower.
  public func raise(to greatest: Int64, on connection: Connection) throws(PostgreSQLError) -> Set<CELTable.Writer> {
    let raised = try connection.query(
      """
      SELECT setval($1::regclass, $2) FROM pg_sequences
      WHERE format('%I.%I', schemaname, sequencename) = $1 AND coalesce(last_value, start_value - 1) < $2
      """, [.text(name), .int8(greatest)], purpose: "Moving the sequence \(name) past the restored ids")
    return raised.count == 0 ? [] : try CELTable.writers(of: table, on: connection)
  }

  /// Gives the ones of `writers` that are still at work.
  public func left(of writers: Set<CELTable.Writer>, on connection: Connection) throws(PostgreSQLError) -> [CELTable.OpenWriter] {
    let now = try CELTable.openWriters(of: table, on: connection)
    let left = writers.left(of: Set(now.map(\.writer)))
    return now.filter { left.contains($0.writer) }
  }
}
