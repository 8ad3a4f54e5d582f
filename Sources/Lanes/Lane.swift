import Logging
import PostgreSQL

/// One thread's connection. It is opened when it is first needed, and again after it broke.
struct Lane {
  private let parameters: ConnectionParameters
  private let log: Logger
  private var connection: Connection?
  /// When the next attempt to connect may be made, and how long the pause after a failure is.
  private var next: ContinuousClock.Instant?
  private var pause = Duration.milliseconds(100)
  private var reason = ""

  private static let longestPause = Duration.seconds(5)

  init(_ parameters: ConnectionParameters, log: Logger) { (self.parameters, self.log) = (parameters, log) }

  /// Does a job, and ends it.
  /// - Returns: whether an attempt to connect failed
  mutating func run(_ job: Job) -> Bool {
    do {
      do {
        try job.run(on: try usable())
      } catch let error as PostgreSQLError where job.isRepeatable && Lane.isBroken(error) {
        // The server ended the session while nobody used it, as after a restart.
        close()
        try job.run(on: try usable())
      }
      tidy()
      job.end(nil)
      return false
    } catch {
      tidy()
      job.end(error)
      if case .databaseIsAway? = error as? LaneError { return true }
      return false
    }
  }

  mutating func close() {
    connection?.close()
    connection = nil
  }

  /// Whether the connection is gone, also where the server says that it ends it.
  static func isBroken(_ error: PostgreSQLError) -> Bool {
    error.kind == .connectionLost || error.sqlState?.class == "57" && error.sqlState != .queryCanceled
  }

  /// The work of one job must not show in the next one's.
  private mutating func tidy() {
    if let connection, !connection.isUsable || connection.inTransaction { close() }
  }

  private mutating func usable() throws -> Connection {
    if let connection, connection.isUsable { return connection }
    close()
    // While the server is away, work fails at once and does not wait for one attempt after another.
    if let next, ContinuousClock.now < next { throw LaneError.databaseIsAway(reason) }
    do {
      let opened = try Connection(parameters, log: log)
      if next != nil { log.notice("the database can be reached again") }
      (connection, next, pause) = (opened, nil, .milliseconds(100))
      return opened
    } catch {
      if next == nil || reason != error.description { log.error("\(error.description)") }
      reason = error.description
      next = .now + pause
      pause = min(pause * 2, Lane.longestPause)
      throw LaneError.databaseIsAway(reason)
    }
  }
}
