import PostgreSQL

extension CallLogTables {
  /// Notes that call logs were made again under the ids that they had, so that those who follow new
  /// call logs get them again. Call it in the transaction that makes them. It forgets notes that
  /// are older than an hour.
  /// - Throws: an error of PostgreSQL
  public static func noteRemade(_ ids: [Int32], on connection: Connection) throws(PostgreSQLError) {
    guard !ids.isEmpty else { return }
    // Other workers may be forgetting the same notes.
    try connection.execute(
      """
      WITH old AS (
        DELETE FROM call_logd_remade WHERE number IN (
          SELECT number FROM call_logd_remade WHERE made < now() - interval '1 hour' FOR UPDATE SKIP LOCKED))
      INSERT INTO call_logd_remade (number, call_logs) SELECT nextval(s.name::regclass), $1
      FROM (SELECT pg_get_serial_sequence('call_logd_call_log', 'id') AS name) s WHERE s.name IS NOT NULL
      """, [.int4Array(ids)], purpose: "Noting \(ids.count) call logs that were made again")
  }
}
