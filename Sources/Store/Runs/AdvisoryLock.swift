/// All advisory locks of the program: the class of each, with what it is held for. PostgreSQL keeps them by database.
///
/// The locks of two numbers have a class of four letters that begin with "cal", and an object: the second number. A lock of a session goes
/// with the session; a lock of a transaction goes with the transaction.
enum AdvisoryLock: Int32 {
  /// The mark, "call": object 0, shared, of the session, in the CELs' database. Every session of the program holds it. It excludes nobody:
  /// who looks for writers of CELs leaves marked sessions out.
  case mark = 0x6361_6C6C
  /// The gate, "calg": the checkpoint's id, of the transaction, in the call logs' database. Chunks share it. Deletions, purges, restores,
  /// and whatever else takes call logs or coverage back, hold it alone.
  case gate = 0x6361_6C67
  /// A worker, "calc": the worker's number, of the session. A claim is alive while its worker's lock is held.
  case worker = 0x6361_6C63
  /// A run, "calr": the run's id, of the session. A run is alive while its lock is held.
  case run = 0x6361_6C72
  /// Links, "cali": the checkpoint's id, of the transaction, in the CELs' database. One session at a time makes recorded links.
  case links = 0x6361_6C69
  /// Archives, "cala": object 0, of the session. One archive, purge or restore at a time works on a database.
  case archives = 0x6361_6C61

  /// The schema, "call_log": one number of eight letters, of the session. One migration at a time.
  static let schema: Int64 = 0x6361_6C6C_5F6C_6F67
}
