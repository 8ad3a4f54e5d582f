import Values

/// CELs in memory: rows in the order of appending, texts in one arena, numbered uniqueids and
/// linkedids.
///
/// A batch is filled, grouped, interpreted and emptied. Emptying keeps the memory. Only one thread
/// at a time may use a batch.
public struct CELBatch {
  /// The rows.
  public private(set) var rows: [CEL] = []
  /// The distinct linkedids by their numbers in the rows.
  public private(set) var linkedids = TextInterner()
  /// The distinct uniqueids by their numbers in the rows.
  public private(set) var uniqueids = TextInterner()
  /// The memory of all texts of the batch, also of those that the interpreter makes.
  public let arena: TextArena
  /// The differences between `eventtime` and the uniqueids.
  public private(set) var clock = ClockCheck()

  /// An empty batch.
  public init() {
    arena = TextArena()
  }

  /// The number of rows.
  public var count: Int { rows.count }

  /// The text of a linkedid.
  public func linkedid(_ number: Int32) -> Text { linkedids.texts[Int(number)] }

  /// The text of a uniqueid.
  public func uniqueid(_ number: Int32) -> Text { number < 0 ? .empty : uniqueids.texts[Int(number)] }

  /// The result of adding a row.
  public enum Appended: Sendable {
    /// The row is in the batch.
    case row
    /// The row belongs to a SIP chat and was left out (Interpretation, R2).
    case chat
    /// The row has no linkedid, no time, or an id that cannot be covered. It was left out and
    /// counted (Interpretation, R3 to R5).
    case unusable
  }

  /// The channel that carries SIP MESSAGEs. It lives as long as Asterisk, so its uniqueid would
  /// connect unrelated calls (Interpretation, R2).
  public static let chatChannel = "Message/ast_msg_queue"

  /// Adds a row and copies its texts into the batch. Counts its flaws in `tally`.
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

  /// Whether Asterisk makes channels of that name for itself, such as ConfBridge's announcer. They
  /// have events such as STREAM_BEGIN, but never CHAN_START, CHAN_END or LINKEDID_END
  /// (Interpretation, R16).
  private static func isInternal(_ channame: Text) -> Bool {
    guard !channame.isEmpty else { return false }
    // The first letter decides quickly: a third of all events take this path.
    switch channame[0] {
    case UInt8(ascii: "C"): return channame.hasPrefix("CBAnn/") || channame.hasPrefix("CBRec/")
    case UInt8(ascii: "A"): return channame.hasPrefix("Announcer/")
    case UInt8(ascii: "R"): return channame.hasPrefix("Recorder/")
    default: return false
    }
  }

  /// Sets the call logs of rows by their ids; 0 is none. The values in the CEL table are out of
  /// date.
  public mutating func setCallLogs(_ callLogs: [Int64: Int32]) {
    guard !callLogs.isEmpty else { return }
    for index in rows.indices {
      if let callLog = callLogs[rows[index].id] { rows[index].callLogID = callLog }
    }
  }

  /// Empties the batch and keeps its memory. All its texts become invalid.
  public mutating func removeAll() {
    rows.removeAll(keepingCapacity: rows.capacity < 200_000)
    linkedids.removeAll()
    uniqueids.removeAll()
    arena.removeAll()
    clock = ClockCheck()
  }

  /// The number of a linkedid that has no row here, for groups from elsewhere.
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
