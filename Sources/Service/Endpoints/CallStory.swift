import CallLogs
import Listing
import PostgreSQL
import Store
import Timelines
import Values

/// What the service knows of the events of a call.
struct CallStory: Sendable {
  /// Where the events are. The raw value is the API's.
  enum State: String, CaseIterable, Sendable {
    /// All are there.
    case complete
    /// Some channels have no beginning or no end: events are missing.
    case partial
    /// LINKEDID_END is missing: the call goes on, or Asterisk did not write its end.
    case unfinished
    /// A purge deleted them, and the archive has them.
    case archived
    /// They are not in the table, and no archive of this database has them.
    case absent
    /// Some or all are left out: they also belong to a call log that whoever asks does not see.
    case hidden
    /// The service has no table of CELs that it may read.
    case unavailable
  }

  let state: State
  /// The months whose CELs a purge has put into the archive, such as `2025-03`.
  let months: [String]
  /// Whether the call has more events than are shown.
  let isCut: Bool
  let timeline: Timeline
  /// nil where no event is shown.
  let reasons: CallReasons?

  private static let most = 24

  /// Finds the events of a call, as far as whoever asks may see them.
  /// - Throws: errors of the lanes and of the server
  static func of(
    _ call: ShownCall, tenants: VisibleTenants, participant: UUIDValue?, at desk: Desk
  ) async throws -> CallStory {
    let id = Int32(truncatingIfNeeded: call.id)
    guard let reader = desk.cels, let found = try await reader.events(ofConversation: call.conversation, callLog: id) else {
      return CallStory(state: .unavailable)
    }
    var linkedids: [String] = []
    for event in found.events where linkedids.last != event.linkedid && !linkedids.contains(event.linkedid) {
      linkedids.append(event.linkedid)
    }
    let all = linkedids
    let hidden = try await desk.lists.run { connection in
      try CallLogTables.hidden(among: all, tenants: tenants, participant: participant, on: connection)
    }
    let events = hidden.isEmpty ? found.events : found.events.filter { !hidden.contains($0.linkedid) }
    let timeline = Timeline(events)
    var months: [String] = []
    if hidden.isEmpty, !timeline.isWhole {
      let wanted = CallStory.months(of: call)
      months = try await desk.lists.run { try ArchiveRecord.monthsOfPurgedCELs(among: wanted, on: $0) }
    }
    let state: State =
      if !hidden.isEmpty {
        .hidden
      } else if events.isEmpty {
        months.isEmpty ? .absent : .archived
      } else if found.isCut || !timeline.isWhole {
        // A call without an end has channels without an end, too.
        timeline.missingEnds.isEmpty || found.isCut || !months.isEmpty ? .partial : .unfinished
      } else {
        .complete
      }
    let stored = CallReasons.Stored(start: call.start, answer: call.answer, end: call.end, direction: call.direction)
    return CallStory(
      state: state, months: months, isCut: found.isCut, timeline: timeline,
      reasons: events.isEmpty ? nil : CallReasons(events, conversation: call.conversation, stored: stored))
  }

  private init(
    state: State, months: [String] = [], isCut: Bool = false, timeline: Timeline = Timeline([]), reasons: CallReasons? = nil
  ) {
    (self.state, self.months, self.isCut, self.timeline, self.reasons) = (state, months, isCut, timeline, reasons)
  }

  /// The months of a call, by which archives are divided.
  private static func months(of call: ShownCall) -> [String] {
    guard let first = Month(of: call.start), let last = Month(of: call.end ?? call.start) else { return [] }
    var months = [first]
    while let month = months.last, month < last, months.count < most, let next = Month(of: month.end) { months.append(next) }
    return months.map(\.description)
  }
}
