import Runs
import Store
import Synchronization
import Values

/// The ids that a run has yet to do. It hands them out to its workers chunk by chunk, as claims
/// that every other process sees.
final class WorkQueue: Sendable {
  private struct State {
    /// The ids to do, in that order.
    var rest: [Range<Int64>]
    /// The ids that other runs have claimed.
    var elsewhere: [Range<Int64>] = []
    /// The time of the last visible progress elsewhere, and its sign.
    var lastChange = Stopwatch()
    var lastSeen = ""
    var isStopped = false
  }

  private let state: Mutex<State>
  private let chunkSize: Int
  private let remakes: Bool

  /// - Parameter remakes: whether covered ids are included
  init(_ ranges: [Range<Int64>], chunkSize: Int, remakes: Bool) {
    state = Mutex(State(rest: ranges))
    self.chunkSize = chunkSize
    self.remakes = remakes
  }

  /// Lets every worker end after its chunk.
  func stop() { state.withLock { $0.isStopped = true } }

  /// Takes back ids that were handed out and are not done.
  func giveBack(_ ids: Range<Int64>) {
    guard !ids.isEmpty else { return }
    state.withLock { $0.rest.insert(ids, at: 0) }
  }

  /// Claims the next chunk. If others have claimed all that is left, it waits until they are done
  /// or gone.
  /// - Returns: nil if nothing is left.
  /// - Throws: ``JobError`` (75) if nothing moves elsewhere for `retry_for`, or after a signal
  func next(_ context: RunContext, owner: Int32, run: RunRecord) throws -> Claim? {
    while true {
      if context.interruption.isRequested { throw context.retry.interrupted }
      let step = try context.retry { try state.withLock { try next(&$0, context, owner: owner, run: run) } }
      switch step {
      case .claim(let claim): return claim
      case .done: return nil
      case .wait(let claims):
        try context.retry { _ = try Claims(context.checkpoint).removeDead(own: owner, on: context.databases.logs) }
        try giveUpAfterLong(claims, context)
        context.retry.pause(Double.random(in: 0.02...0.1))
      }
    }
  }

  private enum Step {
    case claim(Claim)
    case wait([Claims.Standing])
    case done
  }

  private func next(_ state: inout State, _ context: RunContext, owner: Int32, run: RunRecord) throws -> Step {
    guard !state.isStopped else { return .done }
    if state.rest.isEmpty { swap(&state.rest, &state.elsewhere) }
    guard !state.rest.isEmpty else { return .done }
    let claims = Claims(context.checkpoint)
    var (coverage, standing) = try claims.standing(on: context.databases.logs)
    if standing.contains(where: { $0.owner == owner }) {
      // A statement whose answer was lost may have entered a claim.
      try claims.releaseAll(owner: owner, on: context.databases.logs)
      (coverage, standing) = try claims.standing(on: context.databases.logs)
    }
    var attempts = 0
    while let range = state.rest.first {
      let claimed = IDSet(standing.map(\.ids))
      let wanted = remakes ? [range] : coverage.gaps(in: range)
      let free = wanted.flatMap { claimed.gaps(in: $0) }
      guard let first = free.first else {
        state.rest.removeFirst()
        state.elsewhere += wanted
        continue
      }
      let end = try context.table.end(ofChunk: chunkSize, in: first, on: context.databases.cels) ?? first.upperBound
      let chunk = first.lowerBound..<end
      if let claim = try claims.take(chunk, owner: owner, run: run.id, on: context.databases.logs) {
        state.rest.removeFirst()
        state.rest.insert(contentsOf: (end < first.upperBound ? [end..<first.upperBound] : []) + free.dropFirst(), at: 0)
        state.elsewhere += wanted.flatMap { claimed.parts(in: ClosedRange($0)) }
        return .claim(claim)
      }
      // Another worker was faster.
      attempts += 1
      (coverage, standing) = try claims.standing(on: context.databases.logs)
      if attempts > 100 { break }
    }
    note(coverage, standing, &state)
    return state.rest.isEmpty && state.elsewhere.isEmpty ? .done : .wait(standing)
  }

  private func note(_ coverage: IDSet, _ standing: [Claims.Standing], _ state: inout State) {
    let seen = "\(coverage) \(standing.map { "\($0.ids) \($0.owner)" })"
    if seen != state.lastSeen { (state.lastSeen, state.lastChange) = (seen, Stopwatch()) }
  }

  private func giveUpAfterLong(_ claims: [Claims.Standing], _ context: RunContext) throws {
    let (seconds, since) = (context.settings.retryFor, state.withLock { $0.lastChange })
    guard since.seconds >= seconds else { return }
    let ids = claims.prefix(3).map { "\($0.ids.lowerBound)-\($0.ids.upperBound - 1)" }.joined(separator: ", ")
    let holders = try claims.first.map { try Claims.holders(ofOwner: $0.owner, on: context.databases.side) }
    throw JobError(
      .busy,
      "another run is at work on ids \(ids) of \(context.table.name) (\(context.databases.logs.server)) and has made no progress for \(Int(seconds)) seconds; `wazo-call-logs status` shows it. Try again when it is done. Its worker's lock is \(holders?.description ?? "free")"
    )
  }
}
