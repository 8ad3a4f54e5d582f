import Foundation
import Logging
import Runs
import Store

/// Reports the writers for which ids wait.
struct LateRowReporter {
  /// A writer that has kept ids waiting for so many seconds is worth a warning: somebody has
  /// probably forgotten it.
  private static let oldAge = 60.0

  private let databases: Databases
  private let table: CELTable
  private let checkpoint: Checkpoint
  private let finalAfter: Double
  private let said: SaidOnce
  private let log: Logger

  init(_ context: RunContext) {
    databases = context.databases
    table = context.table
    checkpoint = context.checkpoint
    finalAfter = context.settings.finalAfter
    said = context.said
    log = context.log
  }

  /// Logs once a run that the table needs the timed rule, and why.
  func sayRule() {
    guard case .timed(let reason) = table.lateRule, said.isFirst("rule of late rows") else { return }
    log.info("\(reason): a missing id counts as never coming only after \(Int(finalAfter)) s")
  }

  /// Logs each of these writers once a run, and the old ones in one warning.
  func name(_ writers: Set<CELTable.Writer>, whileWaiting ids: [Range<Int64>]) throws {
    let open = try table.openWriters(on: databases.cels).filter { writers.contains($0.writer) }
    for writer in open where said.isFirst("writer \(writer.writer)") {
      log.info("CELs are missing that \(writer) may still commit; they wait for a later run")
    }
    var old = open.filter { Double($0.age ?? 0) >= LateRowReporter.oldAge }
    if old.isEmpty, open.contains(where: { $0.age == nil }), try areOld(ids) {
      // This role may not see the age of the transactions. Use the age of the gaps.
      old = open.filter { $0.age == nil }
    }
    guard !old.isEmpty, said.isFirst("warning of late rows") else { return }
    let names = old.prefix(3).map(\.description).joined(separator: "; ")
    log.warning(
      "CELs wait for transactions that have been open for long on \(table.name): \(names)\(old.count > 3 ? "; …" : ""); `wazo-call-logs status` shows the ids"
    )
  }

  private func areOld(_ ids: [Range<Int64>]) throws -> Bool {
    guard let first = ids.first, let last = ids.last else { return false }
    return try checkpoint.gaps(in: first.lowerBound..<last.upperBound, on: databases.logs).contains {
      $0.age >= LateRowReporter.oldAge
    }
  }
}
