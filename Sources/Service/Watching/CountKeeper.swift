import Foundation
import Logging
import PostgreSQL
import ServiceLifecycle
import Store

/// Keeps the counts of call logs by tenant and hour: makes them where there are none, and adds them
/// up every minute. Lists are right without it, and count longer.
struct CountKeeper: ServiceLifecycle.Service {
  let database: ConnectionParameters
  /// Whether somebody wants to know if counts cannot be kept.
  let isNeeded: Bool
  let log: Logger

  private static let pause = Duration.seconds(60)

  func run() async throws {
    let interruption = Interruption()
    await cancelWhenGracefulShutdown {
      await withTaskCancellationHandler {
        var isTold = false
        while !Task.isCancelled {
          let wasTold = isTold
          isTold = (try? await BlockingThread.run("counts") { keep(interruption, isTold: wasTold) }) ?? isTold
          try? await Task.sleep(for: CountKeeper.pause)
        }
      } onCancel: {
        interruption.request()
      }
    }
  }

  /// Makes or adds up.
  /// - Returns: whether it has been told that it is not possible
  private func keep(_ interruption: Interruption, isTold: Bool) -> Bool {
    do {
      var parameters = database
      parameters.options["lock_timeout"] = "2000"
      let connection = try Connection(parameters, log: log)
      defer { connection.close() }
      interruption.register(connection)
      if try CallLogCounts.areKept(on: connection) {
        try CallLogCounts.fold(on: connection)
      } else {
        try CallLogCounts.make(on: connection)
        log.notice("call logs are counted by tenant and hour from now on")
      }
      return false
    } catch let error as PostgreSQLError {
      if interruption.isRequested { return isTold }
      let isForGood = error.sqlState == .insufficientPrivilege || error.sqlState == .readOnly
      let advice = isForGood ? "; run `wazo-call-logs migrate --counts` as the owner of the tables, or set counts: off" : ""
      log.log(
        level: isTold ? .debug : isNeeded && isForGood ? .warning : .info,
        "call logs are not counted by tenant and hour: \(error.description)\(advice)")
      return true
    } catch {
      return isTold
    }
  }
}
