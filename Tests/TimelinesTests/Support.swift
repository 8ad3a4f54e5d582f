import CallLogs
import Simulation
import Values

@testable import Timelines

/// A row of a call that a test tells, with its time in seconds.
struct Told {
  var kind: String
  var seconds: Double
  var channel: String
  var linkedid = "1.1"
  var name = ""
  var number = ""
  var exten = ""
  var application = ""
  var peer = ""
  var extra: String?

  init(
    _ kind: String, _ seconds: Double, _ channel: String, linkedid: String = "1.1", name: String = "", number: String = "",
    exten: String = "", application: String = "", peer: String = "", extra: String? = nil
  ) {
    (self.kind, self.seconds, self.channel, self.linkedid, self.name) = (kind, seconds, channel, linkedid, name)
    (self.number, self.exten, self.application, self.peer, self.extra) = (number, exten, application, peer, extra)
  }

  /// Into a bridge.
  static func enter(
    _ seconds: Double, _ channel: String, _ bridge: String = "b", technology: String = "simple_bridge", peer: String = ""
  ) -> Told {
    Told(
      "BRIDGE_ENTER", seconds, channel, peer: peer,
      extra: #"{"bridge_id":"\#(bridge)","bridge_technology":"\#(technology)"}"#)
  }

  /// Out of a bridge.
  static func exit(_ seconds: Double, _ channel: String, _ bridge: String = "b") -> Told {
    Told("BRIDGE_EXIT", seconds, channel, extra: #"{"bridge_id":"\#(bridge)","bridge_technology":"simple_bridge"}"#)
  }

  /// The end of a channel.
  static func end(_ seconds: Double, _ channels: String...) -> [Told] {
    channels.flatMap { [Told("HANGUP", seconds, $0, extra: #"{"hangupcause":16}"#), Told("CHAN_END", seconds, $0)] }
  }
}

/// The events of rows, numbered from 1. A channel `a` is `PJSIP/a-1` with the uniqueid `1.a`; the
/// first channel's is its linkedid.
func events(_ rows: [Told]) -> [CallEvent] {
  let arena = TextArena()
  return withExtendedLifetime(arena) {
    rows.enumerated().compactMap { number, row in
      var columns = CELColumns()
      columns.id = Int64(number) + 1
      columns.time = Int64(row.seconds * 1_000_000)
      columns.eventtype = arena.text(row.kind)
      columns.channame = arena.text(row.channel.contains("/") ? row.channel : "PJSIP/\(row.channel)-1")
      columns.uniqueid = arena.text(row.channel == "a" ? "1.1" : "1." + row.channel)
      columns.linkedid = arena.text(row.linkedid)
      (columns.cidName, columns.cidNum) = (arena.text(row.name), arena.text(row.number))
      (columns.exten, columns.appname, columns.peer) = (arena.text(row.exten), arena.text(row.application), arena.text(row.peer))
      columns.extra = row.extra.map { arena.text($0) } ?? .null
      return CallEvent(columns)
    }
  }
}

/// What the channels of a timeline did: a line for each, such as `a: calling 1-3, talking 3-9 b`.
func story(_ timeline: Timeline) -> [String] {
  func number(_ time: Timestamp) -> String {
    time % 1_000_000 == 0 ? "\(time / 1_000_000)" : "\(Double(time) / 1_000_000)"
  }
  func short(_ channel: Timeline.Channel) -> String { channel.uniqueid == "1.1" ? "a" : String(channel.uniqueid.dropFirst(2)) }
  return timeline.channels.map { channel in
    let parts = channel.segments.map { segment in
      "\(segment.kind.rawValue) \(number(segment.start))-\(number(segment.end))"
        + segment.peers.map { " " + short(timeline.channels[$0]) }.joined()
    }
    return "\(short(channel)): \(parts.joined(separator: ", "))"
  }
}

/// The conversations of simulated calls.
func simulatedConversations(calls: Int, seed: UInt64) throws -> [[CallEvent]] {
  var bytes: [UInt8] = []
  let options = SimulationOptions(
    calls: calls, seed: seed, until: 1_714_989_600_000_000, users: 40, concurrentCalls: 10)
  _ = try Simulation(options).writeCELs { bytes.append(contentsOf: $0) }
  var reader = CSVReader()
  var record: CELRecord?
  var all: [CallEvent] = []
  var batch = CELBatch()
  let arena = TextArena()
  func take(_ fields: [Text], _ line: Int) throws {
    guard record != nil else {
      record = try CELRecord(header: fields) { $0 }
      return
    }
    var tally = Tally()
    if let columns = try record?.columns(fields, line: line, arena: arena, tally: &tally), let event = CallEvent(columns) {
      all.append(event)
      batch.append(columns, tally: &tally)
    }
  }
  try bytes.withUnsafeBytes { try reader.read($0, record: take) }
  try reader.finish(record: take)
  var grouping = Grouping()
  grouping.group(batch)
  let known = Dictionary(all.map { ($0.id, $0) }) { $1 }
  return grouping.groups.map { group in grouping.order[group.rows].compactMap { known[batch.rows[Int($0)].id] } }
}
