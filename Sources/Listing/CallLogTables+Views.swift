import CallLogs
import PostgreSQL
import Store
import Values

extension CallLogTables {
  /// Gives the call logs of a selection, a page after the other in its order. Needs a transaction, all of which sees one state of the tables; takes the memory of one page, here and at
  /// the server, and four look-ups by index for each page.
  /// - Parameters:
  ///   - size: call logs on a page
  ///   - body: gets each page; its texts are valid while it runs. What it throws ends the reading
  public static func forEachPage(
    of selection: CallLogSelection, size: Int = 2000, on connection: Connection, _ body: ([CallLogView]) throws -> Void
  ) throws {
    let condition = selection.condition
    // The cursor is read to its end: the plan that is best for all rows, not for the first of them.
    try connection.script("SET LOCAL cursor_tuple_fraction = 1", purpose: "Preparing to read call logs")
    // Only ids, so that what the server must sort is small.
    try connection.execute(
      """
      DECLARE call_logs_to_read NO SCROLL CURSOR FOR
      SELECT l.id FROM call_logd_call_log l WHERE \(condition.sql) ORDER BY \(selection.order)
      """, condition.parameters, purpose: "Selecting call logs")
    let arena = TextArena()
    while true {
      let rows = try connection.query("FETCH \(size) FROM call_logs_to_read", purpose: "Selecting call logs")
      let ids = rows.compactMap { $0.int64(0).map { Int32(truncatingIfNeeded: $0) } }
      if ids.isEmpty { break }
      try body(try views(ofCallLogs: ids, in: arena, on: connection))
      arena.removeAll()
      if ids.count < size { break }
    }
    try connection.script("CLOSE call_logs_to_read", purpose: "Selecting call logs")
  }

  /// How many call logs a selection has.
  public static func count(_ selection: CallLogSelection, on connection: Connection) throws -> Int {
    let condition = selection.condition
    return Int(
      try connection.query(
        "SELECT count(*)::int8 FROM call_logd_call_log l WHERE \(condition.sql)", condition.parameters,
        purpose: "Counting call logs"
      ).int64(0, 0) ?? 0)
  }

  /// How many recordings that call log of a selection has that has most of them.
  public static func greatestNumberOfRecordings(_ selection: CallLogSelection, on connection: Connection) throws -> Int {
    let condition = selection.condition
    return Int(
      try connection.query(
        """
        SELECT coalesce(max(number), 0)::int8 FROM (
          SELECT count(*) AS number FROM call_logd_recording r
          WHERE EXISTS (SELECT FROM call_logd_call_log l WHERE l.id = r.call_log_id AND \(condition.sql)) GROUP BY r.call_log_id) AS numbers
        """, condition.parameters, purpose: "Counting recordings"
      ).int64(0, 0) ?? 0)
  }

  /// These call logs as people and the API see them, in the order of `ids`; those that do not exist are left out.
  ///
  /// Where several participants could be the caller, or the user that was asked for, it is the one with the least uuid, so that the same rows always look the same.
  /// - Parameter arena: where their texts are put
  public static func views(ofCallLogs ids: [Int32], in arena: TextArena, on connection: Connection) throws -> [CallLogView] {
    var reader = ViewReader(arena: arena, connection: connection)
    return try reader.read(ids)
  }
}

/// Reads call logs and what belongs to them, and puts them together.
private struct ViewReader {
  let arena: TextArena
  let connection: Connection
  private var views: [CallLogView?] = []
  private var places: [Int64: Int] = [:]

  init(arena: TextArena, connection: Connection) { (self.arena, self.connection) = (arena, connection) }

  mutating func read(_ ids: [Int32]) throws -> [CallLogView] {
    views = Array(repeating: nil, count: ids.count)
    for (place, id) in ids.enumerated() { places[Int64(id)] = place }
    try readCallLogs(ids)
    try readParticipants(ids)
    try readDestinations(ids)
    try readRecordings(ids)
    return views.compactMap(\.self)
  }

  private mutating func readCallLogs(_ ids: [Int32]) throws {
    let columns = CallLogField.read.compactMap(\.column).joined(separator: ", ")
    let rows = try connection.query(
      "SELECT id, tenant_uuid, date, \(columns) FROM call_logd_call_log WHERE id = ANY($1)", [.int4Array(ids)],
      purpose: "Reading \(ids.count) call logs")
    for row in rows {
      guard let id = row.int64(0), let place = places[id], let tenant = row.uuid(1), let start = row.timestamp(2) else {
        continue
      }
      var view = CallLogView(id: id, tenant: tenant, start: start)
      for (number, field) in CallLogField.read.enumerated() { field.read?(&view, row, number + 3, arena) }
      views[place] = view
    }
  }

  /// Which participants stand for a call log so far.
  private struct Chosen {
    var source: UUIDValue?
    var requested: UUIDValue?
    var destination: (isAnswered: Bool, user: UUIDValue, uuid: UUIDValue)?
  }

  private mutating func readParticipants(_ ids: [Int32]) throws {
    // Not in the order of uuids: on a table that was never analysed the server would rather read all of it by that index than look these call logs up.
    let rows = try connection.query(
      """
      SELECT call_log_id, user_uuid, line_id, role = 'source', answered, requested, tags, uuid FROM call_logd_call_log_participant
      WHERE call_log_id = ANY($1)
      """, [.int4Array(ids)], purpose: "Reading participants")
    var chosen = Array(repeating: Chosen(), count: ids.count)
    for row in rows {
      guard let place = place(row), let user = row.uuid(1), let uuid = row.uuid(7) else { continue }
      let party = CallLogView.Party(user: user, line: row.int64(2))
      if row.bool(3) == true {
        if chosen[place].source.map({ uuid < $0 }) ?? true {
          chosen[place].source = uuid
          views[place]?.source = party
        }
      } else {
        let isAnswered = row.bool(4) == true
        // Who answered goes before who did not, then the greatest user.
        let isBetter = chosen[place].destination.map { other in
          if isAnswered != other.isAnswered { return isAnswered }
          return user == other.user ? uuid < other.uuid : user > other.user
        }
        if isBetter ?? true {
          chosen[place].destination = (isAnswered, user, uuid)
          views[place]?.destination = party
        }
      }
      if row.bool(5) == true, chosen[place].requested.map({ uuid < $0 }) ?? true {
        chosen[place].requested = uuid
        views[place]?.requestedUser = user
      }
      if let tags = row.strings(6), !tags.isEmpty { views[place]?.add(tags: tags.map { arena.text($0) }) }
    }
  }

  private mutating func readDestinations(_ ids: [Int32]) throws {
    let rows = try connection.query(
      """
      SELECT call_log_id, destination_details_key, destination_details_value FROM call_logd_call_log_destination
      WHERE call_log_id = ANY($1)
      """, [.int4Array(ids)], purpose: "Reading details of destinations")
    for row in rows {
      guard let place = place(row) else { continue }
      views[place]?.destinationDetails.append((row.text(1, in: arena), row.text(2, in: arena)))
    }
  }

  private mutating func readRecordings(_ ids: [Int32]) throws {
    let rows = try connection.query(
      """
      SELECT call_log_id, uuid, start_time, end_time, path IS NULL FROM call_logd_recording
      WHERE call_log_id = ANY($1) ORDER BY start_time, uuid
      """, [.int4Array(ids)], purpose: "Reading recordings")
    for row in rows {
      guard let place = place(row), let uuid = row.uuid(1), let start = row.timestamp(2), let end = row.timestamp(3) else {
        continue
      }
      views[place]?.recordings.append(
        CallLogView.Recording(uuid: uuid, start: start, end: end, isDeleted: row.bool(4) == true))
    }
  }

  private func place(_ row: RowView) -> Int? { row.int64(0).flatMap { places[$0] } }
}

extension RowView {
  fileprivate func text(_ column: Int, in arena: TextArena) -> Text {
    bytes(column) { bytes in bytes.map { arena.text($0) } ?? .null }
  }
}
