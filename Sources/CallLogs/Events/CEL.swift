import Values

/// One channel event, with the columns that interpretation needs.
///
/// The texts lie packed in the batch's memory behind `fields`. Events that the interpreter does not
/// read keep no texts. So a conversation of a million events takes some 50 bytes for each event,
/// and the texts of those that matter.
public struct CEL {
  /// The row's id.
  public let id: Int64
  /// `eventtime`.
  public let time: Timestamp
  /// The number of the uniqueid in the batch's table; -1 for an empty one.
  public let uniqueid: Int32
  /// The number of the linkedid in the batch's table.
  public let linkedid: Int32
  /// The id of the call log that the row points to; 0 for none.
  public internal(set) var callLogID: Int32
  /// The type of the event.
  public let type: EventType
  /// Whether this is an event without a meaning, of a channel that Asterisk makes for itself
  /// (Interpretation, R16).
  public let isInternal: Bool

  let fields: UnsafePointer<UInt8>?

  private func field(_ index: Int) -> Text {
    guard let fields else { return .empty }
    let ends = UnsafeRawPointer(fields)
    let lower = index == 0 ? 0 : Int(ends.loadUnaligned(fromByteOffset: (index - 1) * 4, as: UInt32.self) & CEL.lengthMask)
    let end = ends.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
    if end & ~CEL.lengthMask != 0 { return .null }
    return Text(start: fields + CEL.fieldCount * 4 + lower, count: Int(end) - lower)
  }

  /// `cid_name`: the name of the caller id.
  var cidName: Text { field(0) }
  /// `cid_num`: the number of the caller id.
  var cidNum: Text { field(1) }
  /// `exten`: the channel's extension in the dialplan.
  var exten: Text { field(2) }
  /// `context`: the channel's context in the dialplan.
  var context: Text { field(3) }
  /// `channame`: the channel's name.
  var channame: Text { field(4) }
  /// `appname`: the running application.
  var appname: Text { field(5) }
  /// `appdata`: the arguments of the application.
  var appdata: Text { field(6) }
  /// `userfield`.
  var userfield: Text { field(7) }
  /// `peer`: the other channels in the bridge, separated by commas.
  var peer: Text { field(8) }
  /// `extra`: JSON. Only this column distinguishes NULL from the empty text.
  var extra: Text { field(9) }

  static let fieldCount = 10
  static let lengthMask: UInt32 = 0x7FFF_FFFF
}

/// The columns of one CEL before they are packed into a batch. Absent columns are NULL.
public struct CELColumns {
  /// The row's id.
  public var id: Int64 = 0
  /// `eventtime`; nil if it is unreadable or infinite.
  public var time: Timestamp?
  /// The id of the call log that the row points to; 0 for none.
  public var callLogID: Int32 = 0
  /// The event's name or number.
  public var eventtype: Text = .empty
  /// The name of a user event.
  public var userdeftype: Text = .empty
  /// Name in the caller id.
  public var cidName: Text = .empty
  /// Number in the caller id.
  public var cidNum: Text = .empty
  /// Extension in the dialplan.
  public var exten: Text = .empty
  /// Context in the dialplan.
  public var context: Text = .empty
  /// Channel name.
  public var channame: Text = .empty
  /// Application.
  public var appname: Text = .empty
  /// Application data.
  public var appdata: Text = .empty
  /// Channel identifier.
  public var uniqueid: Text = .empty
  /// Identifier shared by the channels of a call.
  public var linkedid: Text = .empty
  /// User field.
  public var userfield: Text = .empty
  /// Bridge peers.
  public var peer: Text = .empty
  /// JSON or NULL.
  public var extra: Text = .null

  /// Columns with empty texts.
  public init() {}

  /// The number of text columns.
  @inlinable public static var textCount: Int { 14 }

  /// Columns whose texts come from `text`, by their places in the order of ``Name``.
  @inlinable public init(id: Int64, time: Int64?, callLogID: Int32, text: (Int) -> Text) {
    self.id = id
    self.time = time
    self.callLogID = callLogID
    eventtype = text(0)
    userdeftype = text(1)
    cidName = text(2)
    cidNum = text(3)
    exten = text(4)
    context = text(5)
    channame = text(6)
    appname = text(7)
    appdata = text(8)
    uniqueid = text(9)
    linkedid = text(10)
    userfield = text(11)
    peer = text(12)
    extra = text(13)
  }

  /// The text columns that interpretation needs. The raw values are the names in Asterisk's table.
  public enum Name: String, CaseIterable, Sendable {
    /// Columns with the same name as in the table.
    case eventtype, userdeftype
    /// Caller id.
    case cidName = "cid_name"
    /// Caller id.
    case cidNum = "cid_num"
    /// The other columns, with the same name as in the table.
    case exten, context, channame, appname, appdata, uniqueid, linkedid, userfield, peer, extra
  }

  /// The column of that name.
  @inlinable public subscript(name: Name) -> Text {
    get {
      switch name {
      case .eventtype: eventtype
      case .userdeftype: userdeftype
      case .cidName: cidName
      case .cidNum: cidNum
      case .exten: exten
      case .context: context
      case .channame: channame
      case .appname: appname
      case .appdata: appdata
      case .uniqueid: uniqueid
      case .linkedid: linkedid
      case .userfield: userfield
      case .peer: peer
      case .extra: extra
      }
    }
    set {
      switch name {
      case .eventtype: eventtype = newValue
      case .userdeftype: userdeftype = newValue
      case .cidName: cidName = newValue
      case .cidNum: cidNum = newValue
      case .exten: exten = newValue
      case .context: context = newValue
      case .channame: channame = newValue
      case .appname: appname = newValue
      case .appdata: appdata = newValue
      case .uniqueid: uniqueid = newValue
      case .linkedid: linkedid = newValue
      case .userfield: userfield = newValue
      case .peer: peer = newValue
      case .extra: extra = newValue
      }
    }
  }
}
