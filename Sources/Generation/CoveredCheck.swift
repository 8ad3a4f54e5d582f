import CallLogs
import Logging
import Runs
import Store
import Values

/// Finds rows that appeared in covered ids after these were covered, and uncovers them.
///
/// Writers that take ids from the sequence cannot cause that: an id is covered only once its row
/// can no longer appear. Other ways can: somebody attaches a partition or copies saved rows in, or
/// the sequence of a moved table begins at 1. Such rows have ids that had no row before. So the
/// check reads only covered ids without a row, by the index of ids, which is fast while they are
/// few ranges.
struct CoveredCheck {
  private let context: RunContext
  /// Up to this number of ranges, every run reads them.
  private static let fewPieces: Int64 = 5000
  /// Seconds after which the check counts rows block by block instead, if there are more ranges. A
  /// nightly run does so every night.
  private static let longAge = 20 * 3600.0

  init(_ context: RunContext) { self.context = context }

  /// Uncovers the rows that it finds. It also notes their ids as waiting: if this run does not
  /// reach them, the next run takes them first.
  func run() throws {
    #if NAMED_POINTS
      if context.settings.shortcuts.contains(.noCoveredCheck) { return }
    #endif
    let state = try context.retry { try context.checkpoint.seenState(on: context.databases.logs) }
    guard let age = state.age else { return try context.retry { try learn() } }
    var found: [CELTable.Found]
    if state.pieces <= CoveredCheck.fewPieces {
      found = try context.retry {
        try context.table.rows(in: context.checkpoint.holes(on: context.databases.logs), on: context.databases.cels)
      }
    } else {
      guard age >= CoveredCheck.longAge else { return }
      found = try context.retry { try lookByBlocks() }
      try context.retry { try context.checkpoint.noteLooked(on: context.databases.logs) }
    }
    // Look again where nobody changes anything: a restore may have ended in between.
    found = found.isEmpty ? [] : try context.retry { try confirm(found) }
    guard let first = found.first, let last = found.last else { return }
    let rows = found.reduce(Int64(0)) { $0 + $1.rows }
    context.log.warning(
      "\(rows) CELs have come with ids that were covered (\(first.ids.lowerBound) to \(last.ids.upperBound - 1)): rows were copied in, a partition was attached, or the sequence of ids was set back. This run makes their call logs"
    )
    for piece in found { try uncover(piece.ids) }
  }

  /// Notes the rows that exist now. A coverage of an earlier version does not say which rows
  /// existed.
  private func learn() throws {
    let (logs, cels, table) = (context.databases.logs, context.databases.cels, context.table)
    context.log.info("noting once which covered ids have a CEL")
    try logs.transaction(purpose: "Noting which covered ids have a CEL") {
      try context.checkpoint.closeGate(on: logs)
      let coverage = try context.checkpoint.locked(on: logs).coverage
      if let bounds = try table.bounds(on: cels) {
        let present = IDSet(try table.idsPresent(in: bounds, on: cels))
        let seen = coverage.ranges.flatMap { present.parts(in: $0.lowerBound...($0.upperBound - 1)) }
        for some in stride(from: 0, to: seen.count, by: 10_000) {
          let part = Array(seen[some..<min(some + 10_000, seen.count)])
          try context.checkpoint.noteSeen(part, in: part, forgets: false, on: logs)
        }
      }
      try context.checkpoint.noteLooked(on: logs)
    }
  }

  private func confirm(_ found: [CELTable.Found]) throws -> [CELTable.Found] {
    let (logs, cels, table) = (context.databases.logs, context.databases.cels, context.table)
    return try logs.transaction(purpose: "Looking at CELs that came later") {
      try context.checkpoint.closeGate(on: logs)
      let places = IDSet(try context.checkpoint.holes(on: logs))
      return try table.rows(in: found.flatMap { places.parts(in: $0.ids.lowerBound...($0.ids.upperBound - 1)) }, on: cels)
    }
  }

  private func lookByBlocks() throws -> [CELTable.Found] {
    let (logs, cels, table) = (context.databases.logs, context.databases.cels, context.table)
    let coverage = try Checkpoint.read(table.identity, on: logs)?.coverage ?? IDSet()
    guard let least = coverage.ranges.first?.lowerBound, let greatest = coverage.greatest else { return [] }
    let seen = try context.checkpoint.seenRows(on: logs)
    let there = try table.rowsByBlock(in: least...greatest, on: cels)
    var found: [CELTable.Found] = []
    for (block, rows) in there.sorted(by: { $0.key < $1.key }) where seen[block] != rows {
      found += try table.rows(in: context.checkpoint.holes(inBlock: block, on: logs), on: cels)
    }
    return found
  }

  /// Uncovers a range of ids, a chunk at a time, and notes the conversations that reach out of it.
  private func uncover(_ ids: Range<Int64>) throws {
    let table = context.table
    var rest = ids
    while !rest.isEmpty {
      if context.interruption.isRequested { throw context.retry.interrupted }
      let end = try context.retry {
        try table.end(ofChunk: context.settings.chunkSize, in: rest, on: context.databases.cels) ?? rest.upperBound
      }
      let piece = rest.lowerBound..<end
      try context.retry {
        let (logs, cels) = (context.databases.logs, context.databases.cels)
        try logs.transaction(purpose: "Uncovering CELs that came later") {
          try context.checkpoint.closeGate(on: logs)
          _ = try context.checkpoint.locked(on: logs)
          try context.checkpoint.noteReaching(
            try table.linkedids(reachingBeyond: piece.lowerBound...(piece.upperBound - 1), on: cels), on: logs)
          try context.checkpoint.uncover([piece], on: logs)
          try context.checkpoint.replaceGaps(in: piece, with: [piece], on: logs)
        }
      }
      rest = end..<rest.upperBound
    }
  }
}
