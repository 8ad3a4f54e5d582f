import API
import Listing
import PostgreSQL
import Store
import Values

/// Who gets a stream: what they want, and in which form.
struct StreamAudience: Sendable {
  let selection: CallLogSelection
  /// Whether they keep a list. Then they also learn that a call log was made again, and is no
  /// longer among those that they want.
  let keepsList: Bool
  /// Asks the gate which tenants they may see now.
  let tenantsNow: @Sendable () async throws(APIError) -> VisibleTenants
  /// Writes an event's data, on one line.
  let append: @Sendable (CallLogView, inout [UInt8]) -> Void
}

/// Sends one client its call logs as they come, in the form of server-sent events (HTML standard,
/// "Server-sent events").
struct EventStream {
  /// What a client is sent at once.
  private static let batch = 200
  /// How often a statement may fail for reasons of its own.
  private static let tries = 3
  private static let pause = Duration.seconds(1)
  /// How soon the gate is asked again where it could not answer.
  private static let soon = Duration.seconds(5)

  private let note: AccessNote
  private let feed: Feed
  private let subscription: Subscription
  private let audience: StreamAudience
  private let idle: Duration

  private var tenants: VisibleTenants
  /// Whether the gate has let the client in when it was asked last.
  private var isAllowed = true
  /// The place that the client knows.
  private var told: Int64?
  /// Entries that were taken, and could not be read yet.
  private var held: Subscription.Batch?
  private var failures = 0

  private let end: ContinuousClock.Instant
  private var check: ContinuousClock.Instant
  private var comment = ContinuousClock.now
  private var retry = ContinuousClock.now

  /// - Parameter lastID: the place where the client was; nil for a new one
  init(
    _ note: AccessNote, _ feed: Feed, _ subscription: Subscription, _ audience: StreamAudience, tenants: VisibleTenants,
    lastID: Int64?, limits: (idle: Duration, limit: Duration)
  ) {
    (self.note, self.feed, self.subscription) = (note, feed, subscription)
    (self.audience, self.tenants) = (audience, tenants)
    (told, idle, end) = (lastID, limits.idle, .now + limits.limit)
    check = .now + feed.settings.check
  }

  /// Sends until the client goes away, may see nothing any more, or has been here for long.
  /// - Throws: what writing throws
  mutating func run(_ write: ([UInt8]) async throws -> Void) async throws {
    try await send("retry: 2000\n" + place(told == nil ? subscription.position : nil) + "\n", write)
    while !subscription.isEnded, .now < end {
      if .now >= check, await !isStillAllowed() { return }
      if isAllowed {
        try await sendGap(write)
        switch try await sendBatch(write) {
        case .sent: continue
        case .failed: return
        case .nothing: break
        }
      }
      if .now >= comment {
        try await send(":\n" + place(held == nil ? subscription.position : nil) + "\n", write)
        continue
      }
      let next = min(end, check, comment, held != nil && isAllowed ? max(retry, .now) : end)
      await subscription.sleep(for: max(.zero, next - .now) + .milliseconds(1))
    }
  }

  // MARK: The gate

  /// Asks whether the client may still see call logs, and of which tenants. Where nobody can say,
  /// they wait.
  private mutating func isStillAllowed() async -> Bool {
    do throws(APIError) {
      tenants = try await audience.tenantsNow()
      isAllowed = true
      check = .now + feed.settings.check
      return true
    } catch {
      guard error.status == 503 else { return false }
      isAllowed = false
      check = .now + min(EventStream.soon, feed.settings.check)
      return true
    }
  }

  // MARK: Events

  private enum Outcome {
    case sent, nothing, failed
  }

  private mutating func sendBatch(_ write: ([UInt8]) async throws -> Void) async throws -> Outcome {
    if held == nil { held = subscription.take(EventStream.batch) }
    guard let batch = held, .now >= retry else { return .nothing }
    let events: (text: [UInt8], count: Int)
    do {
      events = try await text(of: batch)
    } catch is CancellationError {
      return .failed
    } catch {
      retry = .now + EventStream.pause
      if Feed.passes(error) { return .nothing }
      failures += 1
      guard failures < EventStream.tries else {
        feed.log.error("a stream of call logs ends: \(error)")
        return .failed
      }
      return .nothing
    }
    (held, failures) = (nil, 0)
    guard events.count > 0 else { return .sent }
    try await send(events.text, write)
    told = batch.position(after: batch.entries.count - 1)
    note.rows = (note.rows ?? 0) + events.count
    feed.note(events: events.count)
    return .sent
  }

  /// The events of the entries that the client wants and may see.
  private func text(of batch: Subscription.Batch) async throws -> (text: [UInt8], count: Int) {
    var selection = audience.selection
    selection.ids = batch.entries.map(\.callLog)
    // A new call log is the latest with its peers.
    selection.isLatestOfPeer = false
    let query = CallLogQuery(tenants: tenants, selection, order: CallLogOrder(by: .id, isAscending: true))
    let (tenants, audience) = (tenants, audience)
    return try await feed.lanes.run { connection in
      let arena = TextArena()
      return try withExtendedLifetime(arena) {
        // One state of the tables: an id may have another call log a moment later.
        let (views, left) = try connection.transaction(.readOnly, purpose: "Reading new call logs") {
          let views = try CallLogTables.views(of: query, in: arena, on: connection).filter { tenants.contains($0.tenant) }
          return (views, audience.keepsList ? try EventStream.left(batch, but: views, query, on: connection) : [])
        }
        return EventStream.text(of: batch, views, left: left, audience)
      }
    }
  }

  /// The call logs of a batch that were made again, and are not among the wanted ones: those that
  /// the client may know, and so may have had in its list.
  private static func left(
    _ batch: Subscription.Batch, but views: [CallLogView], _ query: CallLogQuery, on connection: Connection
  ) throws -> Set<Int32> {
    let wanted = Set(views.map(\.id))
    let remade = batch.entries.filter { $0.number != Int64($0.callLog) && !wanted.contains(Int64($0.callLog)) }
    guard !remade.isEmpty else { return [] }
    var known = CallLogSelection()
    known.statuses = Set(CallLogView.Status.allCases)
    (known.ids, known.participant) = (remade.map(\.callLog), query.selection.participant)
    return Set(try CallLogTables.ids(of: CallLogQuery(tenants: query.tenants, known), on: connection))
  }

  private static func text(
    of batch: Subscription.Batch, _ views: [CallLogView], left: Set<Int32>, _ audience: StreamAudience
  ) -> (text: [UInt8], count: Int) {
    let views = Dictionary(views.map { ($0.id, $0) }) { $1 }
    var out: [UInt8] = []
    var count = 0
    // A call log that changed twice is sent once, at its later place.
    let last = Dictionary(batch.entries.indices.map { (batch.entries[$0].callLog, $0) }) { $1 }
    for (place, entry) in batch.entries.enumerated() where last[entry.callLog] == place {
      let view = views[Int64(entry.callLog)]
      guard view != nil || left.contains(entry.callLog) else { continue }
      out += "event: \(view == nil ? "left" : "call_log")\nid: \(batch.position(after: place))\ndata: ".utf8
      if let view { audience.append(view, &out) } else { out += "{\"id\":\(entry.callLog)}".utf8 }
      out += "\n\n".utf8
      count += 1
    }
    return (out, count)
  }

  /// Says that call logs are missing.
  private mutating func sendGap(_ write: ([UInt8]) async throws -> Void) async throws {
    guard subscription.takeGap() else { return }
    feed.note(gaps: 1)
    try await send("event: gap\ndata: {\"first_id\":\(subscription.position + 1)}\n\n", write)
  }

  /// The line that says which place the client has reached; empty where it knows it.
  private mutating func place(_ position: Int64?) -> String {
    guard let position, position != told else { return "" }
    told = position
    return "id: \(position)\n"
  }

  private mutating func send(_ text: String, _ write: ([UInt8]) async throws -> Void) async throws {
    try await send(Array(text.utf8), write)
  }

  private mutating func send(_ bytes: [UInt8], _ write: ([UInt8]) async throws -> Void) async throws {
    try await subscription.writing(idle: idle) { try await write(bytes) }
    comment = .now + feed.settings.comment
  }
}
