import Values

/// One channel event, reduced to what making a call log needs.
///
/// The columns that an interpreter may read lie packed in the batch's memory behind `fields`; events that no interpreter reads keep none, so that a
/// conversation of a million events costs some 50 bytes an event and the text of those that matter.
public struct CEL {
  /// The row's id.
  public let id: Int64
  /// `eventtime`.
  public let time: Timestamp
  /// The number of the uniqueid in the batch's table, -1 where it is empty.
  public let uniqueid: Int32
  /// The number of the linkedid in the batch's table.
  public let linkedid: Int32
  /// The call log that the row points to, 0 where it points to none.
  public internal(set) var callLogID: Int32
  /// What happened.
  public let type: EventType
  /// Whether it is an event without a meaning of a channel that Asterisk makes for itself: by itself it gives no call, whatever else comes.
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

  /// `cid_name`: the name in the channel's caller id.
  var cidName: Text { field(0) }
  /// `cid_num`: the number in the channel's caller id.
  var cidNum: Text { field(1) }
  /// `exten`: where the channel is in the dialplan.
  var exten: Text { field(2) }
  /// `context`: where the channel is in the dialplan.
  var context: Text { field(3) }
  /// `channame`: the channel's name.
  var channame: Text { field(4) }
  /// `appname`: the application that the channel runs.
  var appname: Text { field(5) }
  /// `appdata`: that application's arguments.
  var appdata: Text { field(6) }
  /// `userfield`.
  var userfield: Text { field(7) }
  /// `peer`: the other channels in the bridge, separated by commas.
  var peer: Text { field(8) }
  /// `extra`: JSON, the only column here that tells NULL from empty.
  var extra: Text { field(9) }

  static let fieldCount = 10
  static let lengthMask: UInt32 = 0x7FFF_FFFF
}

/// The columns of one CEL as they were read, before they are packed into a batch. Absent columns are NULL.
public struct CELColumns {
  /// The row's id.
  public var id: Int64 = 0
  /// `eventtime`; nil where it could not be read or is infinite.
  public var time: Timestamp?
  /// The call log that the row points to, 0 for none.
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

  /// Columns with every text empty.
  public init() {}

  /// How many text columns there are.
  @inlinable public static var textCount: Int { 14 }

  /// Columns whose texts `text` gives, by their places in ``Name``'s order.
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

  /// The text columns that call logs are made from; the raw values are the names in Asterisk's table.
  public enum Name: String, CaseIterable, Sendable {
    /// The columns, named as in the table.
    case eventtype, userdeftype
    /// Caller id.
    case cidName = "cid_name"
    /// Caller id.
    case cidNum = "cid_num"
    /// The rest, named as in the table.
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
