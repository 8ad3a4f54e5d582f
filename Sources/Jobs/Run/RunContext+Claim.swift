import Foundation
import PostgreSQL
import Store

extension RunContext {
  /// Makes this the only run that covers or uncovers CELs of a table, until its connections end, however that comes about. Another run is waited for as long as
  /// retries last.
  /// - Throws: ``JobError`` (75) where the other is still at work then.
  static func claim(_ checkpoint: Checkpoint, of table: CELTable, _ databases: Databases, _ retry: Retry) throws {
    let started = Date()
    while true {
      // Asked again and again: a session that waits inside the server would hold CREATE INDEX CONCURRENTLY up.
      let rows = try databases.side.query(
        "SELECT pg_try_advisory_lock($1, $2)", [.int4(claimKey), .int4(checkpoint.id)], purpose: "Waiting for another run")
      if rows.bool(0, 0) == true { return }
      if retry.interruption.isRequested { throw retry.interrupted }
      guard Date().timeIntervalSince(started) < retry.seconds else {
        throw JobError(.busy, "another run is at work on \(table.name) (\(databases.logs.server)); try again when it is done")
      }
      Thread.sleep(forTimeInterval: 0.05)
    }
  }

  /// "call" as bytes.
  private static let claimKey: Int32 = 0x6361_6C6C
}
