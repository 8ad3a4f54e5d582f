import Foundation
import PostgreSQL

/// Writes calls as they happen: each is one of the simulated calls once more, played event by event
/// at the time of now, as Asterisk would write it.
final class LiveCalls {
  private struct Event {
    let due: Date
    let id: Int64
  }

  private let connection: Connection
  private var events: [Event] = []
  private var epochs: [Int64: Int64] = [:]
  private var next = Date()
  private var number: Int64 = 0
  /// Seconds between the beginnings of two calls.
  private static let pause = 4.0
  /// The longest pause within a call. People who watch do not want to wait for its true length.
  private static let longestGap = 1.5

  init(_ connection: Connection) { self.connection = connection }

  /// Writes what is due.
  func step() throws {
    let now = Date()
    if now >= next {
      next = now + LiveCalls.pause
      try begin(now)
    }
    while let event = events.first, event.due <= now {
      events.removeFirst()
      try write(event)
    }
  }

  /// Chooses a call without a recording: its file exists once.
  private func begin(_ now: Date) throws {
    let rows = try connection.query(
      """
      SELECT id::int8, extract(epoch FROM eventtime)::float8::text FROM cel WHERE linkedid = (
        SELECT linkedid FROM cel GROUP BY linkedid
        HAVING count(*) BETWEEN 8 AND 40 AND bool_or(eventtype = 'LINKEDID_END') AND NOT bool_or(eventtype = 'MIXMONITOR_START')
          AND bool_and(split_part(uniqueid, '.', 1) >= split_part(linkedid, '.', 1))
        ORDER BY random() LIMIT 1)
      ORDER BY eventtime, id
      """, purpose: "Choosing a call")
    number += 1
    let epoch = Int64(now.timeIntervalSince1970)
    var due = now
    var last: Double?
    for row in rows {
      guard let id = row.int64(0), let time = row.string(1).flatMap({ Double($0) }) else { continue }
      if let last { due += min(max(0, time - last), LiveCalls.longestGap) }
      last = time
      epochs[id] = epoch
      events.append(Event(due: due, id: id))
    }
    events.sort { ($0.due, $0.id) < ($1.due, $1.id) }
  }

  /// Writes an event with the ids of the new call.
  private func write(_ event: Event) throws {
    guard let epoch = epochs.removeValue(forKey: event.id) else { return }
    try connection.execute(
      """
      INSERT INTO cel (eventtype, eventtime, userdeftype, cid_name, cid_num, cid_ani, cid_rdnis, cid_dnid, exten, context, channame,
        appname, appdata, amaflags, accountcode, peeraccount, uniqueid, linkedid, userfield, peer, extra)
      SELECT eventtype, clock_timestamp(), userdeftype, cid_name, cid_num, cid_ani, cid_rdnis, cid_dnid, exten, context, channame,
        appname, appdata, amaflags, accountcode, peeraccount, $2 || '.' || split_part(uniqueid, '.', 2),
        $2 || '.' || split_part(linkedid, '.', 2), userfield, peer, extra
      FROM cel WHERE id = $1
      """, [.int8(event.id), .text(String(epoch))], purpose: "Writing a CEL")
  }
}
