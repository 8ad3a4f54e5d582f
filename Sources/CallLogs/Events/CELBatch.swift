import Values

/// CELs in memory: rows in the order they were appended, their text in one arena, uniqueids and linkedids numbered.
///
/// A batch is filled, grouped, interpreted and emptied again; emptying keeps the memory. One thread at a time.
public struct CELBatch {
  /// The rows.
  public private(set) var rows: [CEL] = []
  /// The distinct linkedids, numbered as the rows say.
  public private(set) var linkedids = TextInterner()
  /// The distinct uniqueids, numbered as the rows say.
  public private(set) var uniqueids = TextInterner()
  /// The memory behind every ``Text`` of the batch, also of what the interpreters derive.
  public let arena: TextArena
  /// How far `eventtime` is from the epoch in the uniqueids.
  public private(set) var clock = ClockCheck()

  /// An empty batch.
  public init() {
    arena = TextArena()
  }

  /// How many rows there are.
  public var count: Int { rows.count }

  /// The text of the linkedid with this number.
  public func linkedid(_ number: Int32) -> Text { linkedids.texts[Int(number)] }

  /// The text of the uniqueid with this number.
  public func uniqueid(_ number: Int32) -> Text { number < 0 ? .empty : uniqueids.texts[Int(number)] }

  /// What became of a row that was to be added.
  public enum Appended: Sendable {
    /// It is in the batch.
    case row
    /// It belongs to a SIP chat, which is never a call: left out.
    case chat
    /// It has no linkedid, no time or an id that cannot be covered, and can belong to no call: left out and noted.
    case unusable
  }

  /// The channel on which Asterisk carries SIP MESSAGEs. It lives as long as Asterisk, so that its uniqueid must not connect anything.
  public static let chatChannel = "Message/ast_msg_queue"

  /// Adds a row, copying its text into the batch. What is wrong with it is noted in `tally`.
  @discardableResult
  public mutating func append(_ columns: CELColumns, tally: inout Tally) -> Appended {
    if columns.channame == "Message/ast_msg_queue" { return .chat }
    guard !columns.linkedid.isEmpty else {
      tally.note(.emptyLinkedid, columns.id)
      return .unusable
    }
    guard columns.id < .max else {
      tally.note(.lastID, columns.id)
      return .unusable
    }
    guard let time = columns.time else {
      tally.note(.unreadableTime, columns.id)
      return .unusable
    }
    let type = EventType.of(columns.eventtype, userdeftype: columns.userdeftype)
    if type == .unknown { tally.note(.unknownEvent, columns.id) }
    let arena = arena
    let linkedid = linkedids.number(of: columns.linkedid) { arena.copy($0) }
    let uniqueid = columns.uniqueid.isEmpty ? -1 : uniqueids.number(of: columns.uniqueid) { arena.copy($0) }
    if type == .chanStart {
      tally.chanStarts += 1
      clock.observe(time: time, uniqueid: columns.uniqueid)
    }
    rows.append(
      CEL(
        id: columns.id, time: time, uniqueid: Int32(uniqueid), linkedid: Int32(linkedid), callLogID: columns.callLogID,
        type: type, isInternal: type == .ignored && CELBatch.isInternal(columns.channame),
        fields: type.isRead ? pack(columns) : nil))
    return .row
  }

  /// Whether a channel of that name is one that Asterisk makes for itself, such as ConfBridge's announcer. Of these it writes some events, such as STREAM_BEGIN, but never CHAN_START, CHAN_END or
  /// LINKEDID_END.
  private static func isInternal(_ channame: Text) -> Bool {
    guard !channame.isEmpty else { return false }
    // By the first letter, as this is asked for a good third of all events.
    switch channame[0] {
    case UInt8(ascii: "C"): return channame.hasPrefix("CBAnn/") || channame.hasPrefix("CBRec/")
    case UInt8(ascii: "A"): return channame.hasPrefix("Announcer/")
    case UInt8(ascii: "R"): return channame.hasPrefix("Recorder/")
    default: return false
    }
  }

  /// Sets the call log of rows: by their ids, 0 for none. What the table says of these is not up to date.
  public mutating func setCallLogs(_ callLogs: [Int64: Int32]) {
    guard !callLogs.isEmpty else { return }
    for index in rows.indices {
      if let callLog = callLogs[rows[index].id] { rows[index].callLogID = callLog }
    }
  }

  /// Empties the batch; its memory is kept for the next one, every ``Text`` of it is void.
  public mutating func removeAll() {
    rows.removeAll(keepingCapacity: rows.capacity < 200_000)
    linkedids.removeAll()
    uniqueids.removeAll()
    arena.removeAll()
    clock = ClockCheck()
  }

  /// Numbers `linkedid` without a row, for groups that are known from elsewhere.
  mutating func number(ofLinkedid linkedid: Text) -> Int32 {
    let arena = arena
    return Int32(linkedids.number(of: linkedid) { arena.copy($0) })
  }

  private func pack(_ columns: CELColumns) -> UnsafePointer<UInt8> {
    let size =
      columns.cidName.count + columns.cidNum.count + columns.exten.count + columns.context.count + columns.channame.count
      + columns.appname.count + columns.appdata.count + columns.userfield.count + columns.peer.count + columns.extra.count
    let header = CEL.fieldCount * 4
    let start = arena.reserve(header + size)
    let raw = UnsafeMutableRawPointer(start)
    var end = 0
    var index = 0
    @inline(__always) func put(_ text: Text, nullable: Bool = false) {
      if let source = text.start, text.count > 0 { (start + header + end).copyShort(from: source, count: text.count) }
      end += text.count
      let mark: UInt32 = nullable && text.isNull ? ~CEL.lengthMask : 0
      raw.storeBytes(of: UInt32(truncatingIfNeeded: end) | mark, toByteOffset: index * 4, as: UInt32.self)
      index += 1
    }
    put(columns.cidName)
    put(columns.cidNum)
    put(columns.exten)
    put(columns.context)
    put(columns.channame)
    put(columns.appname)
    put(columns.appdata)
    put(columns.userfield)
    put(columns.peer)
    put(columns.extra, nullable: true)
    return UnsafePointer(start)
  }
}
