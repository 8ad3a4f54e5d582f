import Lanes
import PostgreSQL
import Synchronization
import Values

/// Where routes get what they answer from: lanes for lists, for counts and for streams.
///
/// Each kind of work has its own connections. So a slow download never holds up a list.
struct Desk: Sendable {
  let lists: Lanes
  let counts: Lanes
  let streams: Lanes
  /// Where the CELs of calls are read; nil where the service has none.
  let cels: CELReader?
  /// Whether the counts of call logs by tenant and hour may be used.
  let takesCounts: Bool
  private let zone = Zone()

  init(lists: Lanes, counts: Lanes, streams: Lanes, cels: CELReader? = nil, takesCounts: Bool = true) {
    (self.lists, self.counts, self.streams, self.cels, self.takesCounts) = (lists, counts, streams, cels, takesCounts)
  }

  /// All lanes, which end with the service.
  var all: [Lanes] { [lists, counts, streams] + [cels?.lanes].compactMap(\.self) }

  /// The time zone of times that say none: the one of the database's sessions.
  /// - Throws: errors of the lanes and of the server
  func timeZone() async throws -> WallClock { WallClock(named: try await timeZoneName()) ?? .utc }

  /// Its name, such as `Europe/Paris`. An administrator may change it, so the service asks again
  /// after a minute.
  /// - Throws: errors of the lanes and of the server
  func timeZoneName() async throws -> String {
    let now = ContinuousClock.now
    if let known = zone.value.withLock({ $0 }), now - known.asked < .seconds(60) { return known.name }
    let name = try await lists.run { connection in
      try connection.query("SELECT current_setting('TimeZone')", purpose: "Asking for the time zone").string(0, 0)
    }
    let known = name ?? "UTC"
    zone.value.withLock { $0 = (known, now) }
    return known
  }

  private final class Zone: Sendable {
    let value = Mutex<(name: String, asked: ContinuousClock.Instant)?>(nil)
  }
}
