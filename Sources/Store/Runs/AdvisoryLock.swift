/// All advisory locks of the program, with the class of each. PostgreSQL keeps them by database.
///
/// A lock with two numbers has a class of four letters that begin with "cal", and an object: the
/// second number. A session lock ends with the session, a transaction lock with the transaction
/// (PostgreSQL, "Advisory Locks").
enum AdvisoryLock: Int32 {
  /// The mark, "call": object 0, shared, of the session, in the CELs' database. Every session of
  /// the program holds it. It excludes no session: a run that looks for writers of CELs ignores
  /// marked sessions.
  case mark = 0x6361_6C6C
  /// The gate, "calg": the checkpoint's id, of the transaction, in the call logs' database. Chunks
  /// share it. Deletions, purges, restores, the audio list, `--rebase` and the check of covered ids
  /// hold it exclusively.
  case gate = 0x6361_6C67
  /// A worker, "calc": the worker's number, of the session. A claim is alive while its worker's
  /// lock is held.
  case worker = 0x6361_6C63
  /// A run, "calr": the run's id, of the session. A run is alive while its lock is held.
  case run = 0x6361_6C72
  /// Links, "cali": the checkpoint's id, of the transaction, in the CELs' database. One session at
  /// a time makes recorded links.
  case links = 0x6361_6C69
  /// Archives, "cala": object 0, of the session. At most one archive, purge or restore works on a
  /// database.
  case archives = 0x6361_6C61
  /// Exports of recordings, "cale": object 0, of the session, in the call logs' database. At most
  /// one service at a time makes exports, sends their mails and purges them.
  case exports = 0x6361_6C65

  /// Counts, "calt", a tally: object 0, of the transaction, in the call logs' database. At most one
  /// session at a time adds them up.
  case counts = 0x6361_6C74

  /// The schema, "call_log": one number of eight letters, of the session. At most one migration
  /// runs.
  static let schema: Int64 = 0x6361_6C6C_5F6C_6F67
}
