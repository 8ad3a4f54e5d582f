import CallLogs
import PostgreSQL
import Store
import Values

extension CallLogTables {
  /// Reads the call logs of a selection in its order, page by page. It needs a transaction, so that
  /// all pages show one state of the tables. Client and server hold one page in memory. Each page
  /// takes four look-ups by index.
  /// - Parameters:
  ///   - size: call logs per page
  ///   - body: called with each page, whose texts are valid during the call; its error ends the
  ///     reading
  /// - Throws: an error of PostgreSQL or of `body`.
  public static func forEachPage(
    of selection: CallLogSelection, size: Int = 2000, on connection: Connection, _ body: ([CallLogView]) throws -> Void
  ) throws {
    let condition = selection.condition
    // The cursor is read to its end. So the planner should optimise for all rows, not for the first
    // ones.
    try connection.script("SET LOCAL cursor_tuple_fraction = 1", purpose: "Preparing to read call logs")
    // The cursor selects only ids, so that the server sorts little data.
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

  /// Counts the call logs of a selection.
  /// - Throws: an error of PostgreSQL.
  public static func count(_ selection: CallLogSelection, on connection: Connection) throws -> Int {
    let condition = selection.condition
    return Int(
      try connection.query(
        "SELECT count(*)::int8 FROM call_logd_call_log l WHERE \(condition.sql)", condition.parameters,
        purpose: "Counting call logs"
      ).int64(0, 0) ?? 0)
  }

  /// The greatest number of recordings that a call log of the selection has.
  /// - Throws: an error of PostgreSQL.
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

  /// Reads these call logs in the order of `ids`, without ids that do not exist.
  ///
  /// Several participants can be the caller. The one with the smallest uuid is shown, so that equal
  /// rows give equal views. Of several requested users the one with the smallest uuid is shown: it
  /// stays the same when a call log is made again.
  /// - Parameter arena: the memory for their texts
  /// - Throws: an error of PostgreSQL.
  public static func views(ofCallLogs ids: [Int32], in arena: TextArena, on connection: Connection) throws -> [CallLogView] {
    var reader = ViewReader(arena: arena, connection: connection)
    return try reader.read(ids)
  }
}

/// Reads call logs and their related rows, and combines them.
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

  /// The participants chosen so far for a call log.
  private struct Chosen {
    var source: UUIDValue?
    var destination: (isAnswered: Bool, user: UUIDValue, uuid: UUIDValue)?
  }

  private mutating func readParticipants(_ ids: [Int32]) throws {
    // No ORDER BY uuid: on a table that was never analysed, the server would scan the whole index
    // on uuid instead of looking these call logs up.
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
        // A callee that answered wins over one that did not; then the greatest user uuid wins.
        let isBetter = chosen[place].destination.map { other in
          if isAnswered != other.isAnswered { return isAnswered }
          return user == other.user ? uuid < other.uuid : user > other.user
        }
        if isBetter ?? true {
          chosen[place].destination = (isAnswered, user, uuid)
          views[place]?.destination = party
        }
      }
      if row.bool(5) == true, let other = views[place] {
        views[place]?.requestedUser = other.requestedUser.map { min($0, user) } ?? user
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
