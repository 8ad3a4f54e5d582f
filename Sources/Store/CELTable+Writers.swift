import PostgreSQL

/// Who may still commit a row with an id that is missing.
///
/// A row with a lower id can become visible after one with a higher id: ids are given out when a row is made, rows are seen when their transaction ends. What tells is the lock: whoever has taken an id
/// from the sequence for this table holds RowExclusiveLock on it (or on the partition that he writes to) since before he took it, and until his transaction ends. A transaction id tells less: a statement takes its
/// id from the sequence before its transaction has one.
extension CELTable {
  /// A transaction that may have rows of this table that nobody else sees yet.
  public struct Writer: Hashable, Sendable {
    /// `pg_locks.virtualtransaction`; that of a prepared transaction begins with `-1/`.
    public let transaction: String
    /// The server's process; nil for a prepared transaction.
    public let processID: Int64?
  }

  /// Everybody who holds the lock of a writer on the table, or on a table that inherits from it, `processIDs` aside.
  public func writers(except processIDs: [Int32], on connection: Connection) throws -> Set<Writer> {
    let rows = try connection.query(
      """
      WITH RECURSIVE tree AS (
        SELECT $1::int8::oid AS relation
        UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON i.inhparent = t.relation)
      SELECT DISTINCT l.virtualtransaction, l.pid::int8 FROM pg_locks l JOIN tree t ON l.relation = t.relation
      WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (l.pid IS NULL OR l.pid <> ALL ($2::int4[]))
      """, [.int8(identity.table), .int4Array(processIDs)], purpose: "Looking for writers of CELs")
    return Set(rows.map { Writer(transaction: $0.string(0) ?? "", processID: $0.int64(1)) })
  }
}
