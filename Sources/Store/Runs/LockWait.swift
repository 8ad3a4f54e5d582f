import Foundation
import PostgreSQL

/// For how long one waits for a lock that others of this program hold while they work, and what is said when it could not be had.
public struct LockWait: Sendable {
  /// Seconds after which nobody waits on, unless something went on meanwhile.
  public var seconds = 60.0
  /// Seconds after which one looks whether anything goes on.
  public var slice = 5.0
  /// Throws where the program shall stop.
  public var check: @Sendable () throws -> Void = {}

  /// A minute.
  public init() {}

  /// That long.
  /// - Parameter check: throws where the program shall stop
  public init(seconds: Double, slice: Double, check: @escaping @Sendable () throws -> Void) {
    (self.seconds, self.slice, self.check) = (seconds, slice, check)
  }

  /// That a lock could not be had.
  /// - Parameters:
  ///   - purpose: what was being done, such as "Locking the checkpoint"
  ///   - what: what is locked, such as "the checkpoint"
  private func busy(_ purpose: String, _ what: String, _ holders: LockHolders, on connection: Connection) -> StoreError {
    StoreError(
      .busy,
      "\(purpose) was given up after \(LockWait.text(seconds)): \(what) of database \(connection.server.database) is \(holders.description)"
    )
  }

  private static func text(_ seconds: Double) -> String {
    seconds.rounded() == seconds && seconds < 1e9 ? "\(Int(seconds)) seconds" : "\(seconds) seconds"
  }

  /// Waits in one piece, inside a transaction that has to be undone where this throws: `body` waits in the server, so that who comes first is served first.
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

  /// Waits in slices, inside a transaction. What the transaction did before is kept. The time begins anew whenever something goes on.
  /// - Parameter progress: another value each time something was done under the lock
  func inSlices<T>(
    _ purpose: String, for what: String, on connection: Connection, progress: () throws -> Int64?,
    holders: () throws -> LockHolders,
    _ body: () throws -> T
  ) throws -> T {
    var since = Date()
    var last: Int64?
    // Who has held it all the time, as far as can be seen.
    var steady: Set<String>?
    while true {
      try check()
      let left = seconds - Date().timeIntervalSince(since)
      do {
        return try attempt(min(max(slice, 0.1), max(left, 0.01)), on: connection, body)
      } catch let error as PostgreSQLError where error.sqlState == .lockNotAvailable {
        let now = try progress()
        let found = try holders()
        let names = Set(found.all.map(\.transaction))
        let left = steady?.intersection(names)
        if steady == nil {
          // Nothing to compare with yet.
          steady = names
        } else if now != last || left?.isEmpty == true {
          since = Date()
          steady = names
        } else {
          steady = left
          if Date().timeIntervalSince(since) >= seconds { throw busy(purpose, what, found, on: connection) }
        }
        last = now
      }
    }
  }

  /// One statement that may wait so long, behind a savepoint.
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
      "SELECT set_config('lock_timeout', $1, true)", [.text(before ?? "0")], purpose: "Having waited for a lock")
    return value
  }
}
