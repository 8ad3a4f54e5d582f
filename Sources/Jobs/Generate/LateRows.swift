import CallLogs
import Foundation
import Logging
import PostgreSQL
import Store

/// Decides which missing ids of a chunk can come no more.
///
/// An id that is missing was either taken by a transaction that rolled back or is still going on. Whoever still goes on holds the lock of a writer since before he took the id. So: look who holds it, then
/// read the missing ids once more, in a new snapshot. What is missing then, and nobody of those is left, is missing for good. Else it waits in `call_logd_gap`.
struct LateRows {
  private let databases: Databases
  private let table: CELTable
  private let log: Logger
  /// How long to wait for writers to end, seconds. CELs are written in transactions of milliseconds.
  private let patience: Double
  /// Writers that were waited for in vain: they are not waited for again.
  private var stubborn: Set<CELTable.Writer> = []

  init(_ context: RunContext) {
    databases = context.databases
    table = context.table
    log = context.log
    patience = context.settings.patience
  }

  /// Reads those of `missing` that have come in the meantime into `batch`.
  /// - Returns: the ids that may still come.
  mutating func settle(_ missing: [Range<Int64>], into batch: inout CELBatch, read: inout ChunkRead, tally: inout Tally) throws
    -> [Range<Int64>]
  {
    // A sequence begins at 1: what lies below, down to where a table's coverage begins, never comes.
    let missing = missing.compactMap { $0.upperBound > 1 ? max($0.lowerBound, 1)..<$0.upperBound : nil }
    guard !missing.isEmpty else { return [] }
    // Our own sessions hold the lock while they link CELs; they insert none.
    let ours = [databases.cels.backendProcessID]
    var writers = try table.writers(except: ours, on: databases.cels)
    var left = try table.readAgain(missing, into: &batch, read: &read, tally: &tally, on: databases.cels)
    if left.isEmpty || writers.isEmpty { return [] }
    let deadline = Date().addingTimeInterval(patience)
    while !writers.subtracting(stubborn).isEmpty, Date() < deadline {
      Thread.sleep(forTimeInterval: 0.02)
      writers.formIntersection(try table.writers(except: ours, on: databases.cels))
    }
    left = try table.readAgain(left, into: &batch, read: &read, tally: &tally, on: databases.cels)
    for writer in writers.subtracting(stubborn) where !left.isEmpty {
      log.info("CELs are missing that \(writer) may still commit: they wait for a later run")
    }
    stubborn.formUnion(writers)
    return writers.isEmpty ? [] : left
  }
}
