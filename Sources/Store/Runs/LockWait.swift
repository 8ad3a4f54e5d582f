import PostgreSQL
import Values

/// The time limit for a lock that another run holds while it works, and the message when the time
/// is up.
public struct LockWait: Sendable {
  /// The time limit in seconds, which starts again with every progress of other runs.
  public var seconds = 60.0
  /// The time between two checks for progress, in seconds.
  public var slice = 5.0
  /// Throws where the program shall stop.
  public var check: @Sendable () throws -> Void = {}

  /// A limit of one minute.
  public init() {}

  /// Creates a limit in seconds.
  /// - Parameters:
  ///   - slice: the time between two checks for progress, in seconds
  ///   - check: throws where the program shall stop
  public init(seconds: Double, slice: Double, check: @escaping @Sendable () throws -> Void) {
    (self.seconds, self.slice, self.check) = (seconds, slice, check)
  }

  /// The error for a lock that stayed taken.
  /// - Parameters:
  ///   - purpose: the attempted step, such as "Locking the checkpoint"
  ///   - what: the locked thing, such as "the checkpoint"
  private func busy(_ purpose: String, _ what: String, _ holders: LockHolders, on connection: Connection) -> StoreError {
    StoreError(
      .busy,
      "\(purpose) was given up after \(LockWait.text(seconds)): \(what) of database \(connection.server.database) is \(holders.description)"
    )
  }

  private static func text(_ seconds: Double) -> String {
    seconds.rounded() == seconds && seconds < 1e9 ? "\(Int(seconds)) seconds" : "\(seconds) seconds"
  }

  /// Waits in one piece, inside a transaction that the caller rolls back if this throws. `body`
  /// waits in the server, which serves sessions in their order.
  /// - Throws: ``StoreError`` (`busy`) with the holders when the time is up.
  func once<T>(
    _ purpose: String, for what: String, on connection: Connection, holders: () throws -> LockHolders, _ body: () throws -> T
  ) throws -> T {
    try check()
    do {
      return try attempt(seconds, on: connection, body)
    } catch let error as PostgreSQLError where error.sqlState == .lockNotAvailable {
      throw busy(purpose, what, try holders(), on: connection)
    }
  }

  /// Waits in slices, inside a transaction, whose earlier work is kept. The time limit starts again
  /// with every progress.
  /// - Parameter progress: a value that changes with every step under the lock
  /// - Throws: ``StoreError`` (`busy`) with the holders when the time is up.
  func inSlices<T>(
    _ purpose: String, for what: String, on connection: Connection, progress: () throws -> Int64?,
    holders: () throws -> LockHolders,
    _ body: () throws -> T
  ) throws -> T {
    var since = Stopwatch()
    var last: Int64?
    // The transactions that have held the lock all the time, as far as the server shows.
    var steady: Set<String>?
    while true {
      try check()
      let left = seconds - since.seconds
      do {
        return try attempt(min(max(slice, 0.1), max(left, 0.01)), on: connection, body)
      } catch let error as PostgreSQLError where error.sqlState == .lockNotAvailable {
        let now = try progress()
        let found = try holders()
        let names = Set(found.all.map(\.transaction))
        let left = steady?.intersection(names)
        if steady == nil {
          // The first round has nothing to compare with.
          steady = names
        } else if now != last || left?.isEmpty == true {
          since = Stopwatch()
          steady = names
        } else {
          steady = left
          if since.seconds >= seconds { throw busy(purpose, what, found, on: connection) }
        }
        last = now
      }
    }
  }

  /// Runs one statement that may wait so many seconds, behind a savepoint.
  private func attempt<T>(_ seconds: Double, on connection: Connection, _ body: () throws -> T) throws -> T {
    let limit = "\(Int(max(1, min(seconds * 1000, 2_000_000_000))))ms"
    var before: String?
    let value = try connection.savepoint("waiting", purpose: "Waiting for a lock") {
      before = try connection.query(
        "SELECT current_setting('lock_timeout'), set_config('lock_timeout', $1, true)", [.text(limit)],
        purpose: "Waiting for a lock"
      ).string(0, 0)
      return try body()
    }
    _ = try connection.query(
      "SELECT set_config('lock_timeout', $1, true)", [.text(before ?? "0")], purpose: "Restoring lock_timeout")
    return value
  }
}
