import Logging
import Runs
import Store
import Values

/// Looks whether rows have come into covered ids since they were covered, and uncovers them.
///
/// Writers that take their ids from the sequence cannot do that: an id is covered only when it can come no more. Others can: a partition is attached, saved rows are copied in, the sequence of a
/// table that was moved begins at 1. Where they came there was no row before; so only the covered ids without a row are looked through, by the index of ids, which costs next to nothing as long as they are few pieces.
struct CoveredCheck {
  private let context: RunContext
  /// Up to so many pieces they are looked through by every run.
  private static let fewPieces: Int64 = 5000
  /// Else rows are counted block by block, when the last look was so many seconds ago: with a run a night, every night.
  private static let longAge = 20 * 3600.0

  init(_ context: RunContext) { self.context = context }

  /// Looks, and uncovers what it finds. The ids are noted as waiting besides, so that the next run takes them first if this one does not come to them.
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
    // Once more, where nobody changes anything: a restore that ended in between is no news.
    found = found.isEmpty ? [] : try context.retry { try confirm(found) }
    guard let first = found.first, let last = found.last else { return }
    let rows = found.reduce(Int64(0)) { $0 + $1.rows }
    context.log.warning(
      "\(rows) CELs have come with ids that were covered (\(first.ids.lowerBound) to \(last.ids.upperBound - 1)): rows were copied in, a partition was attached, or the sequence of ids was set back; they are made now"
    )
    for piece in found { try uncover(piece.ids) }
  }

  /// A coverage that an earlier version of the program made does not say which rows there were: those that are there now count as seen.
  private func learn() throws {
    let (logs, cels, table) = (context.databases.logs, context.databases.cels, context.table)
    context.log.info("looking once which CELs there are in covered ids")
    try logs.transaction(purpose: "Learning which CELs there are") {
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

  /// Uncovers a run of ids, a chunk at a time, with the conversations that reach out of it noted.
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
