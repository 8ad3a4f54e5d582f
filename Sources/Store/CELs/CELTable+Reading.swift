import CallLogs
import PostgreSQL
import Values

/// The result of reading a range of ids.
public struct ChunkRead: Sendable {
  /// All rows read.
  public var cels = 0
  /// Rows of SIP chats.
  public var chats = 0
  /// Rows that cannot belong to a call.
  public var unusable = 0
  /// Ids of the range that have no row.
  public var missing: [Range<Int64>] = []
  /// The greatest id read.
  public var greatestID: Int64?
  /// The time of that row, in microseconds since 2000-01-01 UTC.
  public var greatestTime: Int64?

  /// Starts with zero.
  public init() {}

  /// Adds the result of a later range of ids.
  public mutating func add(_ later: ChunkRead) {
    cels += later.cels
    chats += later.chats
    unusable += later.unusable
    missing += later.missing
    greatestID = later.greatestID ?? greatestID
    greatestTime = later.greatestID == nil ? greatestTime : later.greatestTime
  }

  /// Counts a row that was read.
  mutating func note(_ appended: CELBatch.Appended, _ columns: CELColumns) {
    cels += 1
    switch appended {
    case .row: break
    case .chat: chats += 1
    case .unusable: unusable += 1
    }
    greatestID = columns.id
    greatestTime = columns.time
  }
}

extension CELTable {
  /// Reads at most `limit` CELs with ids in `ids` into `batch`, in the order of ids.
  /// - Throws: an error of PostgreSQL.
  public func read(
    _ ids: Range<Int64>, limit: Int, into batch: inout CELBatch, tally: inout Tally, on connection: Connection
  ) throws -> ChunkRead {
    // ORDER BY names the column, because the cast of the same name in the list has no index. COPY
    // takes no parameters. The bounds are integers, so they need no quoting.
    let sql = """
      COPY (SELECT \(selectList) FROM \(name) c WHERE c.id >= \(ids.lowerBound) AND c.id < \(ids.upperBound) ORDER BY c.id LIMIT \(limit)) \
      TO STDOUT (FORMAT binary)
      """
    var decoder = CELDecoder(from: ids.lowerBound, needsRepair: needsRepair, timeIsText: timeIsText)
    try connection.copyOut(sql, purpose: "Reading CELs from id \(ids.lowerBound)") {
      try decoder.decode($0, into: &batch, tally: &tally)
    }
    var read = decoder.read
    if read.cels < limit, decoder.next < ids.upperBound { read.missing.append(decoder.next..<ids.upperBound) }
    return read
  }

  /// Reads the CELs with ids in `ranges` that exist now into `batch`.
  /// - Returns: the ids that are still missing.
  /// - Throws: an error of PostgreSQL.
  public func readAgain(
    _ ranges: [Range<Int64>], into batch: inout CELBatch, read: inout ChunkRead, tally: inout Tally, on connection: Connection
  ) throws -> [Range<Int64>] {
    var reader = TextRowReader()
    var found: [Range<Int64>] = []
    try connection.stream(
      "SELECT \(selectList) FROM unnest($1::int8multirange) AS r(ids) JOIN \(name) c ON \(CELTable.isWithin("c.id", "r.ids"))",
      [.int8Multirange(ranges)], purpose: "Looking for CELs that were missing"
    ) { row in
      let columns = self.columns(row, &reader, &tally)
      let greatest = read.greatestID
      read.note(batch.append(columns, tally: &tally), columns)
      read.greatestID = max(greatest ?? columns.id, columns.id)
      found.append(columns.id..<columns.id + 1)
    }
    let present = IDSet(found)
    return ranges.flatMap { present.gaps(in: $0) }
  }

  /// Reads every CEL of the conversations of `linkedids`, whatever their ids. It reads all rows of
  /// the linkedids, then those of all linkedids on the same channels, until it finds nothing new.
  /// Each round is one look-up by index in its own snapshot. After some rounds the server follows
  /// the rest of a long chain.
  /// - Parameter ahead: an id greater than all covered ids. If a conversation has a CEL from there
  ///   on, the reading stops at one of these CELs: the chunk that has that CEL reads the whole
  ///   conversation.
  /// - Returns: the linkedids with which the channels of incompletely read conversations begin. A
  ///   chunk that has such a channel whole must not take it for the whole call.
  /// - Throws: an error of PostgreSQL.
  @discardableResult
  public func readConversations(
    _ linkedids: [Text], ahead: Int64? = nil, into batch: inout CELBatch, tally: inout Tally, on connection: Connection
  ) throws -> BinaryArray {
    let names = TextArena()
    var walk = CallWalk(self, names: names, on: connection)
    // Without an index, the look-up of each channel would scan the whole table.
    var parts = ConversationParts(ahead: timeIsText || !unindexedColumns.isEmpty ? nil : ahead)
    var askedChannels = 0
    var round = walk.fresh(linkedids)
    while !round.isEmpty {
      try readRows(ofLinkedids: round, into: &batch, &tally, connection)
      parts.add(batch)
      let begin = askedChannels
      askedChannels = batch.uniqueids.count
      var channels = (begin..<askedChannels).filter { !parts.goesOn(channel: $0) }
      if let ahead = parts.ahead, !channels.isEmpty {
        // Look for a CEL ahead first; if there is one, the rest of the conversation need not be
        // read.
        let witnesses = walk.fresh(try linkedidsOf(channels.map { batch.uniqueids.texts[$0] }, from: ahead, names, connection))
        if !witnesses.isEmpty {
          try readRows(ofLinkedids: witnesses, into: &batch, &tally, connection)
          parts.add(batch)
          channels += askedChannels..<batch.uniqueids.count
          askedChannels = batch.uniqueids.count
          channels.removeAll { parts.goesOn(channel: $0) }
        }
      }
      guard !channels.isEmpty else { break }
      round = try walk.next(from: channels.map { batch.uniqueids.texts[$0] })
    }
    guard parts.isAnyAhead else { return BinaryArray(.text) }
    let left = batch.uniqueids.texts.indices.filter { parts.goesOn(channel: $0) }.map { batch.uniqueids.texts[$0] }
    return try linkedidsBeginning(left, connection)
  }

  private func readRows(ofLinkedids linkedids: [Text], into batch: inout CELBatch, _ tally: inout Tally, _ connection: Connection)
    throws
  {
    // No ORDER BY: groups are sorted in memory.
    var reader = TextRowReader()
    try connection.stream(
      "SELECT \(selectList) FROM \(name) WHERE linkedid = ANY($1)", [.array(BinaryArray(texts: linkedids))],
      purpose: "Reading the CELs of \(linkedids.count) conversations that reach beyond the chunk"
    ) { row in
      let columns = self.columns(row, &reader, &tally)
      batch.append(columns, tally: &tally)
    }
  }

  /// Gives the rows of these linkedids, at most `limit` of them, in the order of their ids.
  func forEachRow(
    ofLinkedids linkedids: [Text], limit: Int, on connection: Connection, _ body: (CELColumns) -> Void
  ) throws {
    var reader = TextRowReader()
    var tally = Tally()
    // OFFSET keeps the look-up by linkedid apart from the order: for the sake of LIMIT the planner
    // could walk through the table by its ids.
    try connection.stream(
      "SELECT \(selectList) FROM (SELECT * FROM \(name) WHERE linkedid = ANY($1) OFFSET 0) c ORDER BY c.id LIMIT $2",
      [.array(BinaryArray(texts: linkedids)), .int8(Int64(limit))], purpose: "Reading the CELs of a call"
    ) { row in
      body(self.columns(row, &reader, &tally))
    }
  }

  /// Gives the linkedids of channels.
  func linkedidsOf(_ uniqueids: [Text], _ names: TextArena, _ connection: Connection) throws -> [Text] {
    try texts(
      "SELECT DISTINCT linkedid::text FROM \(name) WHERE uniqueid = ANY($1) AND \(isNoChat)",
      [.array(BinaryArray(texts: uniqueids))], "Reading the linkedids of \(uniqueids.count) channels", names, connection)
  }

  /// Gives one linkedid of each channel that has a CEL with that id or a greater one.
  private func linkedidsOf(_ uniqueids: [Text], from id: Int64, _ names: TextArena, _ connection: Connection) throws -> [Text] {
    try texts(
      """
      SELECT DISTINCT (SELECT c.linkedid::text FROM \(name) c
        WHERE c.uniqueid = u AND c.id + 0 >= $2 AND c.\(CELTable.isFollowed) AND isfinite(c.eventtime) AND c.linkedid <> '' AND \(isNoChat) LIMIT 1)
      FROM unnest($1::text[]) AS u
      """, [.array(BinaryArray(texts: uniqueids)), .int8(id)], "Looking for CELs ahead of \(uniqueids.count) channels", names,
      connection)
  }

  /// Gives all linkedids that are connected with channels directly or through other calls.
  func linkedidsReached(from uniqueids: [Text], _ names: TextArena, _ connection: Connection) throws -> [Text] {
    // The column may have its own collation, which would win over the default in comparisons. Both
    // parts of a recursive query need the same collation.
    try texts(
      """
      WITH RECURSIVE reached (is_channel, reached_name) AS (
        SELECT true, u COLLATE "default" FROM unnest($1::text[]) AS u
        UNION
        SELECT NOT r.is_channel, next.name FROM reached r CROSS JOIN LATERAL (
          SELECT linkedid::text COLLATE "default" AS name FROM \(name) WHERE r.is_channel AND uniqueid = r.reached_name AND \(isNoChat)
          UNION ALL
          SELECT uniqueid::text COLLATE "default" FROM \(name) WHERE NOT r.is_channel AND linkedid = r.reached_name AND \(isNoChat)
        ) AS next WHERE next.name <> ''
      )
      SELECT reached_name FROM reached WHERE NOT is_channel
      """, [.array(BinaryArray(texts: uniqueids))],
      "Following \(uniqueids.count) channels to all connected calls",
      names, connection)
  }

  /// Gives the linkedids with which channels begin: those of their CHAN_START, written as a name or
  /// a number.
  private func linkedidsBeginning(_ uniqueids: [Text], _ connection: Connection) throws -> BinaryArray {
    let names = TextArena()
    return BinaryArray(
      texts: try texts(
        """
        SELECT DISTINCT linkedid::text FROM \(name)
        WHERE uniqueid = ANY($1) AND \(CELTable.isChanStart) AND \(isNoChat)
        """, [.array(BinaryArray(texts: uniqueids))], "Reading where \(uniqueids.count) channels begin", names, connection))
  }

  /// The non-empty results of a query with one column.
  private func texts(
    _ sql: String, _ parameters: [Parameter], _ purpose: String, _ names: TextArena, _ connection: Connection
  ) throws -> [Text] {
    var found: [Text] = []
    try connection.stream(sql, parameters, purpose: purpose) { row in
      row.bytes(0) { bytes in
        if let bytes, !bytes.isEmpty { found.append(names.text(bytes)) }
      }
    }
    return found
  }

  /// Reads the CELs of one conversation as stored, ordered by time and id, for a person. Times are
  /// shown as the program reads them, in the session's zone. Times that are text stay unchanged.
  /// - Throws: an error of PostgreSQL.
  public func rowsForPeople(linkedids: [String], on connection: Connection) throws -> Rows {
    let columns = ["eventtype", "channame", "cid_name", "cid_num", "exten", "context", "uniqueid", "linkedid", "extra"]
      .map { absentColumns.contains($0) ? "NULL::text" : "\($0)::text" }.joined(separator: ", ")
    return try connection.query(
      """
      SELECT id::int8, \(instant.map { "(\($0))::text" } ?? "eventtime::text"), \(columns)
      FROM \(name) WHERE linkedid = ANY($1) ORDER BY eventtime, linkedid COLLATE "C", id
      """, [.textArray(linkedids)], purpose: "Reading the CELs of a conversation")
  }

  private func columns(_ row: RowView, _ reader: inout TextRowReader, _ tally: inout Tally) -> CELColumns {
    var columns = CELColumns()
    reader.scratch.removeAll()
    columns.id = row.int64(0) ?? 0
    columns.time = row.bytes(1) { time($0) }
    columns.callLogID = row.int64(2).map { Int32(truncatingIfNeeded: $0) } ?? 0
    for (index, name) in CELTable.textColumns.enumerated() {
      row.bytes(index + 3) { field in
        guard let field else { return }
        // The row's memory lives as long as the row.
        columns[name] = needsRepair ? reader.scratch.repaired(field, columns.id, &tally) : Text(field)
      }
    }
    return columns
  }

  private struct TextRowReader {
    let scratch = TextArena()
  }

  func time(_ field: UnsafeRawBufferPointer?) -> Int64? { field.flatMap { CELDecoder.time($0, isText: timeIsText) } }
}

extension BinaryArray {
  /// Creates a `text[]` of these strings.
  public init(strings: [String]) {
    self.init(.text)
    for string in strings { append(string) }
  }

  /// Creates a `text[]` of these texts.
  public init(texts: some Sequence<Text>) {
    self.init(.text)
    for text in texts { append(UnsafeRawBufferPointer(text.bytes)) }
  }
}
