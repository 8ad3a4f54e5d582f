import CallLogs
import Logging
import PostgreSQL
import Store
import Values

/// Decides whether this run may use the checkpoint for this CEL table. It only reads: a run that is
/// refused has changed nothing.
package struct CheckpointClaim {
  private let start: RunContext.Start
  /// The checkpoint that the run adopts.
  private var adopted: Checkpoint.Foreign?

  private static let schema = "m002_coverage"
  private static let presence = "m009_presence"

  /// Checks the checkpoint against the table.
  ///
  /// - Throws: ``StoreError`` or ``JobError`` (78) where the checkpoint belongs to other CELs than
  ///   those of the table.
  package init(_ table: CELTable, _ start: RunContext.Start, _ databases: Databases) throws {
    self.start = start
    if try table.cycles(on: databases.cels) {
      throw JobError(
        .configuration,
        "the sequence \(table.sequence ?? "") of \(table.name).id has CYCLE: it would give covered ids a second time, and the run would never read their CELs; correct it with ALTER SEQUENCE \(table.sequence ?? "") NO CYCLE"
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
          "database \(databases.logs.server.database) has a checkpoint of \(table.name) already, so there is nothing to adopt; run `wazo-call-logs generate`"
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
    "the checkpoint in database \(databases.logs.server.database) is of \(table.name) of another server or database (system \(foreign.identity.system), database \(foreign.identity.database), table \(foreign.identity.table)); nothing was changed. If this is a copy of that database (restored from a dump, or moved), run `wazo-call-logs generate --adopt`: covered CELs stay covered. If these are other CELs, run `wazo-call-logs generate --rebase`: they get a new, empty checkpoint"
  }

  /// Gives the checkpoint whose witnesses are in the table; the latest where several fit.
  private static func fitting(_ foreign: [Checkpoint.Foreign], _ table: CELTable, _ databases: Databases) throws
    -> Checkpoint.Foreign
  {
    guard !foreign.isEmpty else {
      throw JobError(
        .configuration,
        "database \(databases.logs.server.database) has no checkpoint of another \(table.name) to adopt; run `wazo-call-logs generate`"
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

  /// Gives the checkpoint. Call it when the schema is up to date.
  ///
  /// - Throws: ``StoreError`` where the checkpoint cannot be adopted or read.
  package func take(_ table: CELTable, _ databases: Databases, _ wait: LockWait, _ log: Logger) throws -> Checkpoint {
    if let adopted, try Checkpoint.read(table.identity, on: databases.logs)?.coverage.isEmpty ?? true {
      try Checkpoint.adopt(adopted, for: table, archives: ArchiveRecord.Home.read(databases.logs), on: databases.logs)
      log.warning(
        "adopted the checkpoint of system \(adopted.identity.system), database \(adopted.identity.database): its covered CELs stay covered"
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
      // The CELs belong to this checkpoint. So this database is the original database of the call
      // logs, restored from a dump, possibly under another name.
      let homes = try Checkpoint.adoptArchives(home: ArchiveRecord.Home.read(databases.logs), former: nil, on: databases.logs)
      if !homes.isEmpty {
        log.info("the recorded archives were made before this database was restored; this database takes them over")
      }
    }
    return checkpoint
  }
}

extension Checkpoint {
  /// Checks that the CELs are the ones that the coverage is about: nobody truncated the table,
  /// nobody restored the database, and the sequence does not give ids a second time.
  ///
  /// - Throws: ``StoreError`` (78) with the reason.
  package func check(against table: CELTable, on connection: Connection, logs: Connection) throws {
    // A follower that began with an empty table has covered id 0, which no sequence gives.
    guard let greatest = coverage.greatest, greatest > 0 else { return }
    let remedy = "if that was intended, run `wazo-call-logs generate --rebase` to start with an empty checkpoint"
    let times = try table.storedTimes(of: witnesses.map(\.id), on: connection)
    for witness in witnesses {
      guard let time = times[witness.id], time != witness.time else { continue }
      throw StoreError(
        .wentBack,
        "CEL \(witness.id) of \(table.name) is not the CEL that was covered under this id: ids were given a second time (table truncated, or database restored); \(remedy)"
      )
    }
    if let known = sequenceValue, let last = try table.lastGiven(on: connection), last < known, last < greatest {
      throw StoreError(
        .wentBack,
        "the sequence \(table.sequence ?? "") of \(table.name).id began anew: it stands at \(max(last, 0)), an earlier run saw it at \(known), and CELs up to \(greatest) are covered. New CELs would get covered ids, and no run would read them; if somebody set the sequence back by mistake, set it to the greatest id with setval; \(remedy)"
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
      "the CELs of \(table.name) end at id \(newest == Int64.min ? 0 : newest), but CELs up to \(greatest) are covered: the table was truncated or the database restored; \(remedy)"
    )
  }

  /// A witness may have been deleted by any program, so one missing witness proves nothing. If all
  /// witnesses are gone and covered ids still have rows, nothing proves that these are the same
  /// rows.
  private func checkWitnessesAreThere(
    _ times: [Int64: Int64], _ table: CELTable, _ connection: Connection, _ logs: Connection, _ remedy: String
  ) throws {
    guard !witnesses.isEmpty, times.isEmpty, try table.hasRows(in: coverage.ranges, on: connection) else { return }
    for witness in witnesses where try ArchiveRecord.hasPurged(cel: witness.id, on: logs) { return }
    let ids = witnesses.map { "\($0.id)" }.joined(separator: ", ")
    throw StoreError(
      .wentBack,
      "none of the CELs \(ids) of \(table.name) is there any more, though they were covered and no purge deleted them; other CELs have covered ids, which may have been given a second time (table truncated, or database restored); \(remedy)"
    )
  }
}
