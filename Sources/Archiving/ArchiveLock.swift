import Foundation
import Runs
import Store
import Values

/// Lets one archive, purge or restore run at a time. The run's side session holds the lock, and a
/// new session takes it again.
final class ArchiveLock {
  private let context: RunContext

  init(_ context: RunContext) throws {
    self.context = context
    guard try context.retry({ try ArchiveRecord.lock(on: context.databases.side) }) else {
      throw ArchiveLock.busy(context.databases)
    }
    let retry = context.retry
    context.databases.prepareNext { databases in
      let started = Date()
      while try !ArchiveRecord.lock(on: databases.side) {
        // The lost session may live on for a moment.
        guard Date().timeIntervalSince(started) < max(retry.seconds, 5), !retry.interruption.isRequested else {
          throw ArchiveLock.busy(databases)
        }
        retry.pause(0.05)
      }
    }
  }

  static func busy(_ databases: Databases) -> JobError {
    let holders = try? ArchiveRecord.lockHolders(on: databases.side)
    return JobError(
      .busy,
      "another archive, purge or restore is running on this database; `wazo-call-logs status` shows it. Its lock is \(holders?.description ?? "taken")"
    )
  }

  func release() { try? ArchiveRecord.unlock(on: context.databases.side) }
}
