import CallLogs
import Values

/// A channel of a made-up call: its name, and the number after the dot of its uniqueid.
struct Channel: Sendable {
  var name: String
  var uniqueid: String

  init(_ name: String, _ sequence: Int) {
    self.name = name
    uniqueid = "1772438400.\(sequence)"
  }

  init(_ name: String, uniqueid: String) {
    self.name = name
    self.uniqueid = uniqueid
  }
}

/// A CEL in short: what a test does not say is empty.
struct Row: Sendable {
  /// 2026-03-02 08:00 UTC, from which the seconds of every test count.
  static let base: Int64 = 825_753_600_000_000

  var id: Int64 = 0
  var event: String
  var userdeftype = ""
  var channel: Channel
  var time: Int64?
  var cidName: String
  var cidNum: String
  var exten: String
  var context: String
  var appname = ""
  var appdata = ""
  var userfield: String
  var peer: String
  var extra: String?
  var linkedid: String?
  var callLogID: Int32 = 0

  /// - Parameters:
  ///   - cid: the caller id as `Name <number>`
  ///   - place: where the channel is in the dialplan, as `exten@context`
  ///   - payload: what a user event carries: becomes `extra`, in JSON
  ///   - app: an application with its arguments, as `VoiceMail(202@floor)`
  init(
    _ event: String, _ channel: Channel, _ seconds: Double, _ cid: String = "", _ place: String = "", extra: String? = nil,
    payload: String? = nil, app: String = "", userfield: String = "", peer: String = "", linkedid: String? = nil
  ) {
    self.event = event
    self.channel = channel
    time = Row.base + Int64((seconds * 1_000_000).rounded())
    (cidName, cidNum) = Row.split(cid, at: "<")
    if cidName.hasSuffix(" ") { cidName.removeLast() }
    if cidNum.hasSuffix(">") { cidNum.removeLast() }
    (exten, context) = Row.split(place, at: "@")
    (appname, appdata) = Row.split(app, at: "(")
    if appdata.hasSuffix(")") { appdata.removeLast() }
    self.userfield = userfield
    self.peer = peer
    self.extra = payload.map { "{\"extra\":\(quoted($0))}" } ?? extra
    self.linkedid = linkedid
  }

  private static func split(_ text: String, at separator: Character) -> (String, String) {
    guard let place = text.firstIndex(of: separator) else { return (text, "") }
    return (String(text[..<place]), String(text[text.index(after: place)...]))
  }

  /// The row as it would be read, its text in `arena`.
  func columns(_ arena: TextArena) -> CELColumns {
    var columns = CELColumns()
    columns.id = id
    columns.time = time
    columns.callLogID = callLogID
    columns.eventtype = arena.text(event)
    columns.userdeftype = arena.text(userdeftype)
    columns.cidName = arena.text(cidName)
    columns.cidNum = arena.text(cidNum)
    columns.exten = arena.text(exten)
    columns.context = arena.text(context)
    columns.channame = arena.text(channel.name)
    columns.appname = arena.text(appname)
    columns.appdata = arena.text(appdata)
    columns.uniqueid = arena.text(channel.uniqueid)
    columns.linkedid = arena.text(linkedid ?? "")
    columns.userfield = arena.text(userfield)
    columns.peer = arena.text(peer)
    columns.extra = arena.text(extra)
    return columns
  }
}

/// `text` as a JSON string.
func quoted(_ text: String) -> String {
  var out = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": out += "\\\(scalar)"
    case "\n": out += "\\n"
    default: out.unicodeScalars.append(scalar)
    }
  }
  return out + "\""
}

/// Numbers the rows from `first` in the order they are written, and puts those that name no
/// linkedid under `linkedid`.
func conversation(_ rows: [Row], linkedid: String = "1772438400.1", from first: Int64 = 1) -> [Row] {
  rows.enumerated().map { index, row in
    var row = row
    row.id = first + Int64(index)
    row.linkedid = row.linkedid ?? linkedid
    return row
  }
}
