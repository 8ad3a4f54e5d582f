import PostgreSQL

/// The sequence that gives the ids of a table to which rows come back from an archive, and who writes to that table.
public struct IDSequence: Sendable {
  /// Its name, quoted where it must be.
  public let name: String
  /// The oid of the table.
  private let table: Int64

  /// That of a CEL table; nil where its ids come from no sequence.
  public init?(of table: CELTable) {
    guard let sequence = table.sequence else { return nil }
    (name, self.table) = (sequence, table.identity.table)
  }

  /// That of the call logs; nil where it has none.
  public init?(ofCallLogs connection: Connection) throws(PostgreSQLError) {
    let rows = try connection.query(
      "SELECT pg_get_serial_sequence('call_logd_call_log', 'id'), 'call_logd_call_log'::regclass::oid::int8",
      purpose: "Looking up the sequence of ids")
    guard let sequence = rows.string(0, 0), let table = rows.int64(0, 1) else { return nil }
    (name, self.table) = (sequence, table)
  }

  /// Moves it to `greatest`, where it is below: new rows get ids above from here on. Not undone with a transaction.
  /// - Returns: those who write to the table now and may have taken an id below before; none where it was not below
  public func raise(to greatest: Int64, on connection: Connection) throws(PostgreSQLError) -> Set<CELTable.Writer> {
    let raised = try connection.query(
      """
      SELECT setval($1::regclass, $2) FROM pg_sequences
      WHERE format('%I.%I', schemaname, sequencename) = $1 AND coalesce(last_value, start_value - 1) < $2
      """, [.text(name), .int8(greatest)], purpose: "Moving the sequence \(name) past the ids that come back")
    return raised.count == 0 ? [] : try CELTable.writers(of: table, on: connection)
  }

  /// Those of `writers` that are still at work.
  public func left(of writers: Set<CELTable.Writer>, on connection: Connection) throws(PostgreSQLError) -> [CELTable.OpenWriter] {
    let now = try CELTable.openWriters(of: table, on: connection)
    let left = writers.left(of: Set(now.map(\.writer)))
    return now.filter { left.contains($0.writer) }
  }
}
