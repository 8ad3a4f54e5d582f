import Foundation
import Logging
import PostgreSQL
import Synchronization

/// Makes exports, sends their mails and purges them, on a thread with a connection of its own.
public final class ExportWorker: Sendable {
  private let settings: ExportSettings
  private let connect: @Sendable () throws -> Connection
  private let log: Logger
  private let link: @Sendable (ExportMail) throws -> String
  private let interruption = Interruption()
  private let bell = DispatchSemaphore(value: 0)
  private let state = Mutex(State())

  private struct State {
    var isAwake = false
    var thread: BlockingThread?
  }

  /// Seconds until the worker looks for the requests of other services and for mails that are due.
  private static let pollSeconds = 15.0
  private static let purgeSeconds = 3600.0
  private static let mostPauseSeconds = 60.0

  /// A worker that does nothing yet.
  /// - Parameters:
  ///   - connect: connects to the database of the call logs; the worker closes the connection
  ///   - link: gives the address of a download with a token that is fetched now. It may block. The
  ///     worker logs its errors, so they must not contain secrets.
  public init(
    _ settings: ExportSettings, connect: @escaping @Sendable () throws -> Connection, log: Logger,
    link: @escaping @Sendable (ExportMail) throws -> String
  ) {
    (self.settings, self.connect, self.log, self.link) = (settings, connect, log, link)
  }

  /// Starts ``run()`` on a thread of its own.
  public func start() {
    state.withLock { state in
      if state.thread == nil { state.thread = BlockingThread.start("exports") { self.run() } }
    }
  }

  /// Tells the worker that there is a new request. It can be called from any thread.
  public func wake() {
    let wasAwake = state.withLock { state in
      defer { state.isAwake = true }
      return state.isAwake
    }
    if !wasAwake { bell.signal() }
  }

  /// Ends the work, and waits for the thread of ``start()``. An export in progress is made again at
  /// the next start.
  public func stop() {
    interruption.request()
    wake()
    state.withLock(\.thread)?.join()
  }

  /// Works until ``stop()``. After an error of the database the worker connects again, with growing
  /// pauses.
  public func run() {
    var pause = 1.0
    while !interruption.isRequested {
      do {
        let connection = try connect()
        defer { connection.close() }
        interruption.register(connection)
        try work(on: connection) { pause = 1 }
      } catch {
        guard !interruption.isRequested else { return }
        log.warning("exports wait for \(Int(pause)) seconds: \(error)")
        // A new request does not shorten the pause.
        let end = Date() + pause
        while !interruption.isRequested, Date() < end { wait(end.timeIntervalSinceNow) }
        pause = min(pause * 2, ExportWorker.mostPauseSeconds)
      }
    }
  }

  private func work(on connection: Connection, _ succeeded: () -> Void) throws {
    let steps = ExportSteps(settings, on: connection, interruption: interruption, log: log, link: link)
    var purged: Date?
    while !interruption.isRequested {
      let outcome = try steps.next()
      if purged.map({ Date().timeIntervalSince($0) >= ExportWorker.purgeSeconds }) ?? true {
        _ = try steps.purge()
        purged = Date()
      }
      succeeded()
      if outcome.isIdle || outcome.isBusy { wait(ExportWorker.pollSeconds) }
    }
  }

  private func wait(_ seconds: Double) {
    _ = bell.wait(timeout: .now() + max(0, seconds))
    state.withLock { $0.isAwake = false }
  }
}
