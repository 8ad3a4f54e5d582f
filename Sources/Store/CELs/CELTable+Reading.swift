import CallLogs
import PostgreSQL
import Values

/// What reading a run of ids gave.
public struct ChunkRead: Sendable {
  /// Rows read, whatever became of them.
  public var cels = 0
  /// Rows of SIP chats.
  public var chats = 0
  /// Rows that can belong to no call.
  public var unusable = 0
  /// Ids of the run that have no row.
  public var missing: [Range<Int64>] = []
  /// The greatest id read.
  public var greatestID: Int64?
  /// The time of that row.
  public var greatestTime: Int64?

  /// Nothing read.
  public init() {}

  /// Adds what reading a later run of ids gave.
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
  /// Reads at most `limit` CELs with ids in `ids`, in id order, into `batch`.
  public func read(
    _ ids: Range<Int64>, limit: Int, into batch: inout CELBatch, tally: inout Tally, on connection: Connection
  ) throws -> ChunkRead {
    // Ordered by the column, not by the cast of the same name in the list, which no index has. COPY takes no parameters; the bounds are integers of our own making, so there is nothing that could be quoted.
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

  /// Reads the CELs with ids in `ranges` that are there now, into `batch`.
  /// - Returns: what is still missing.
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

  /// Reads every CEL of the conversations to which `linkedids` belong, wherever their ids lie, to any depth: all rows of a linkedid, then the linkedids of all its
  /// uniqueids, until nothing new is found. Each round is one look-up by index in a snapshot of its own; a long chain is followed by the server after some rounds.
  /// - Parameter ahead: an id above all that is covered. A conversation that has a CEL from there on is read no further than to one of these: the chunk that has it will read all.
  /// - Returns: linkedids of conversations that were not read to their end, with which their channels begin: a chunk that has such a channel whole must not take it for all of the call.
  @discardableResult
  public func readConversations(
    _ linkedids: [Text], ahead: Int64? = nil, into batch: inout CELBatch, tally: inout Tally, on connection: Connection
  ) throws -> BinaryArray {
    let names = TextArena()
    var walk = CallWalk(self, names: names, on: connection)
    // Without an index each channel's look-up would read the whole table.
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
        // Before all the rest of these conversations is read.
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
    // No order: groups are sorted in memory. The chat channel is left out, for it may have very many rows.
    var reader = TextRowReader()
    try connection.stream(
      "SELECT \(selectList) FROM \(name) WHERE linkedid = ANY($1)", [.array(BinaryArray(texts: linkedids))],
      purpose: "Reading the CELs of \(linkedids.count) conversations that reach beyond the chunk"
    ) { row in
      let columns = self.columns(row, &reader, &tally)
      batch.append(columns, tally: &tally)
    }
  }

  /// The linkedids of channels.
  func linkedidsOf(_ uniqueids: [Text], _ names: TextArena, _ connection: Connection) throws -> [Text] {
    try texts(
      "SELECT DISTINCT linkedid::text FROM \(name) WHERE uniqueid = ANY($1) AND \(isNoChat)",
      [.array(BinaryArray(texts: uniqueids))], "Reading the linkedids of \(uniqueids.count) channels", names, connection)
  }

  /// Of each channel one linkedid that it has in a CEL with that id or a greater one, where there is one.
  private func linkedidsOf(_ uniqueids: [Text], from id: Int64, _ names: TextArena, _ connection: Connection) throws -> [Text] {
    try texts(
      """
      SELECT DISTINCT (SELECT c.linkedid::text FROM \(name) c
        WHERE c.uniqueid = u AND c.id + 0 >= $2 AND c.\(CELTable.isFollowed) AND isfinite(c.eventtime) AND c.linkedid <> '' AND \(isNoChat) LIMIT 1)
      FROM unnest($1::text[]) AS u
      """, [.array(BinaryArray(texts: uniqueids)), .int8(id)], "Looking for CELs ahead of \(uniqueids.count) channels", names,
      connection)
  }

  /// The linkedids that can be reached from channels, to any depth, each looked up once.
  func linkedidsReached(from uniqueids: [Text], _ names: TextArena, _ connection: Connection) throws -> [Text] {
    // The column's own collation may be another one than the default, which gives way to it in comparisons; the two parts of a recursive query must have the same.
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
      "Following \(uniqueids.count) channels to all calls that they are joined with",
      names, connection)
  }

  /// The linkedids with which channels begin: those of their CHAN_START, by name or by number.
  private func linkedidsBeginning(_ uniqueids: [Text], _ connection: Connection) throws -> BinaryArray {
    let names = TextArena()
    return BinaryArray(
      texts: try texts(
        """
        SELECT DISTINCT linkedid::text FROM \(name)
        WHERE uniqueid = ANY($1) AND (eventtype::text = 'CHAN_START' OR ltrim(eventtype::text, '0') = '1') AND \(isNoChat)
        """, [.array(BinaryArray(texts: uniqueids))], "Reading where \(uniqueids.count) channels begin", names, connection))
  }

  /// What a query of one column gives, without what is empty.
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

  /// Reads the CELs of one conversation as they stand in the table, ordered by time and id, for a person to read. Times are instants as a run reads them, in the session's zone; where they are text,
  /// they stay as they are.
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
        // The row's memory stays as long as the row.
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
  /// A `text[]` of these strings.
  public init(strings: [String]) {
    self.init(.text)
    for string in strings { append(string) }
  }

  /// A `text[]` of these texts.
  public init(texts: some Sequence<Text>) {
    self.init(.text)
    for text in texts { append(UnsafeRawBufferPointer(text.bytes)) }
  }
}
