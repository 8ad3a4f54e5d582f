import CallLogs
import Logging
import PostgreSQL
import Store
import Values

/// Whether the checkpoint at hand may be used for the CEL table at hand. Looks only; whoever may not run has changed nothing.
package struct CheckpointClaim {
  private let start: RunContext.Start
  /// The checkpoint that is adopted.
  private var adopted: Checkpoint.Foreign?

  private static let schema = "m002_coverage"
  private static let presence = "m009_presence"

  /// - Throws: ``StoreError`` or ``JobError`` (78) where the checkpoint speaks of other CELs than those of the table.
  package init(_ table: CELTable, _ start: RunContext.Start, _ databases: Databases) throws {
    self.start = start
    if try table.cycles(on: databases.cels) {
      throw JobError(
        .configuration,
        "the sequence \(table.sequence ?? "") of \(table.name).id has CYCLE: it would give ids once more that are covered, and their CELs would never be read; ALTER SEQUENCE \(table.sequence ?? "") NO CYCLE mends it"
      )
    }
    let missing = Set(try Migrator(databases.logs).steps().filter { !$0.isApplied }.map(\.name))
    guard !missing.contains(CheckpointClaim.schema), start != .anew else { return }
    let isEarlier = missing.contains(CheckpointClaim.presence)
    let own = try Checkpoint.read(table.identity, isEarlier: isEarlier, on: databases.logs)
    if let own, start == .usual || !own.coverage.isEmpty {
      guard start == .usual else {
        throw JobError(
          .configuration,
          "database \(databases.logs.server.database) has a checkpoint of \(table.name) already: there is nothing to adopt; run `wazo-call-logs generate`"
        )
      }
      try own.check(against: table, on: databases.cels, logs: databases.logs)
      return
    }
    let foreign = try Checkpoint.foreign(to: table, isEarlier: isEarlier, logs: databases.logs, cels: databases.cels)
    guard start == .adopting else {
      guard let first = foreign.first else { return }
      throw JobError(.configuration, CheckpointClaim.question(first, table, databases))
    }
    adopted = try CheckpointClaim.fitting(foreign, table, databases)
  }

  private static func question(_ foreign: Checkpoint.Foreign, _ table: CELTable, _ databases: Databases) -> String {
    "the checkpoint in database \(databases.logs.server.database) is of \(table.name) of another server or database (system \(foreign.identity.system), database \(foreign.identity.database), table \(foreign.identity.table)); nothing was changed. If this is that database, dumped and restored or moved, run `wazo-call-logs generate --adopt`: what was done stays done. If these are other CELs, run `wazo-call-logs generate --rebase`: they get a checkpoint of their own, with nothing done yet"
  }

  /// The one whose witnesses are in the table; the latest where there are several.
  private static func fitting(_ foreign: [Checkpoint.Foreign], _ table: CELTable, _ databases: Databases) throws
    -> Checkpoint.Foreign
  {
    guard !foreign.isEmpty else {
      throw JobError(
        .configuration,
        "database \(databases.logs.server.database) has no checkpoint of another \(table.name) that could be adopted; run `wazo-call-logs generate`"
      )
    }
    var reason: (any Error)?
    for candidate in foreign {
      do {
        try candidate.checkpoint.check(against: table, on: databases.cels, logs: databases.logs)
        return candidate
      } catch let error as StoreError {
        reason = reason ?? error
      }
    }
    throw JobError(.configuration, "there is no checkpoint that could be adopted: \(reason.map { "\($0)" } ?? "none fits")")
  }

  /// The checkpoint, once the schema is up to date.
  package func take(_ table: CELTable, _ databases: Databases, _ wait: LockWait, _ log: Logger) throws -> Checkpoint {
    if let adopted, try Checkpoint.read(table.identity, on: databases.logs)?.coverage.isEmpty ?? true {
      try Checkpoint.adopt(adopted, for: table, archives: ArchiveRecord.Home.read(databases.logs), on: databases.logs)
      log.warning(
        "adopted the checkpoint of system \(adopted.identity.system), database \(adopted.identity.database): what it covers stays done"
      )
    }
    var checkpoint = try Checkpoint.obtain(table, on: databases.logs)
    checkpoint.lockWait = wait
    if start == .anew {
      try checkpoint.restart(on: databases.logs)
      checkpoint = try Checkpoint.obtain(table, on: databases.logs)
      checkpoint.lockWait = wait
    }
    if start == .usual, !databases.isOne, !checkpoint.coverage.isEmpty {
      // The CELs are those of the checkpoint, so that this is the call logs' database of them, restored from a dump under whatever name.
      let homes = try Checkpoint.adoptArchives(home: ArchiveRecord.Home.read(databases.logs), former: nil, on: databases.logs)
      if !homes.isEmpty { log.info("the archives on record were made before this database was restored; they are its own") }
    }
    return checkpoint
  }
}

extension Checkpoint {
  /// Checks that the CELs are those that the coverage speaks of: neither was the table truncated nor the database restored since, nor does the sequence give ids anew.
  package func check(against table: CELTable, on connection: Connection, logs: Connection) throws {
    guard let greatest = coverage.greatest else { return }
    let remedy = "if that is meant, run `wazo-call-logs generate --rebase` to start anew with this table"
    let times = try table.storedTimes(of: witnesses.map(\.id), on: connection)
    for witness in witnesses {
      guard let time = times[witness.id], time != witness.time else { continue }
      throw StoreError(
        .wentBack,
        "CEL \(witness.id) of \(table.name) is another one than when it was covered: ids have been given out anew (table truncated, or database restored); \(remedy)"
      )
    }
    if let known = sequenceValue, let last = try table.lastGiven(on: connection), last < known, last < greatest {
      throw StoreError(
        .wentBack,
        "the sequence \(table.sequence ?? "") of \(table.name).id began anew: it has given ids up to \(max(last, 0)), it had given \(known), and CELs up to \(greatest) are covered. New CELs would get ids that are covered, and never be read; if it was set back by mistake, set it to the greatest id with setval, and \(remedy)"
      )
    }
    try checkWitnessesAreThere(times, table, connection, logs, remedy)
    let newest = try table.bounds(on: connection)?.upperBound ?? Int64.min
    guard newest < greatest else { return }
    if let last = try table.lastSequenceValue(on: connection), last >= greatest { return }
    if table.sequence == nil, newest == Int64.min { return }
    if try ArchiveRecord.hasPurged(cel: greatest, on: logs) { return }
    throw StoreError(
      .wentBack,
      "the CELs of \(table.name) end at id \(newest == Int64.min ? 0 : newest), but CELs up to \(greatest) have been covered: the table was truncated or the database restored; \(remedy)"
    )
  }

  /// One of the witnesses may have been deleted by anybody. Where none is left, and there are rows that count as done, nothing tells that they are the same rows.
  private func checkWitnessesAreThere(
    _ times: [Int64: Int64], _ table: CELTable, _ connection: Connection, _ logs: Connection, _ remedy: String
  ) throws {
    guard !witnesses.isEmpty, times.isEmpty, try table.hasRows(in: coverage.ranges, on: connection) else { return }
    for witness in witnesses where try ArchiveRecord.hasPurged(cel: witness.id, on: logs) { return }
    let ids = witnesses.map { "\($0.id)" }.joined(separator: ", ")
    throw StoreError(
      .wentBack,
      "none of the CELs \(ids) of \(table.name) is there any more, though they were covered and no purge took them, and there are others that count as done: ids may have been given out anew (table truncated, or database restored); \(remedy)"
    )
  }
}
