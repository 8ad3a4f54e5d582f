import CallLogs
import Foundation
import Values

/// One CEL of a call, with texts of its own.
public struct CallEvent: Sendable {
  /// The row's id.
  public let id: Int64
  /// `eventtime`, in microseconds since 2000-01-01 UTC.
  public let time: Timestamp
  /// What kind of event it is.
  public let kind: EventKind
  /// The event's name, also where the table has a number.
  public let name: String
  /// `channame`.
  public let channel: String
  /// `uniqueid`.
  public let uniqueid: String
  /// `linkedid`.
  public let linkedid: String
  /// `cid_name`.
  public let callerName: String
  /// `cid_num`.
  public let callerNumber: String
  /// `exten`.
  public let exten: String
  /// `context`.
  public let context: String
  /// `appname`.
  public let application: String
  /// `peer`.
  public let peer: String
  /// `extra`: JSON; nil for NULL.
  public let extra: String?

  private let eventtype, userdeftype, applicationData, userfield: String
  private let callLogID: Int32

  /// Copies a row; nil where no call can have it: without a linkedid or a time, or of a SIP chat
  /// (Interpretation, R2 to R5).
  public init?(_ columns: CELColumns) {
    guard let time = columns.time, !columns.linkedid.isEmpty, columns.id < .max, columns.channame != "Message/ast_msg_queue"
    else { return nil }
    (id, self.time, callLogID) = (columns.id, time, columns.callLogID)
    (eventtype, userdeftype) = (columns.eventtype.string, columns.userdeftype.string)
    (kind, name) = EventKind.of(eventtype: eventtype, userdeftype: userdeftype)
    (channel, uniqueid, linkedid) = (columns.channame.string, columns.uniqueid.string, columns.linkedid.string)
    (callerName, callerNumber) = (columns.cidName.string, columns.cidNum.string)
    (exten, context) = (columns.exten.string, columns.context.string)
    (application, applicationData) = (columns.appname.string, columns.appdata.string)
    (userfield, peer) = (columns.userfield.string, columns.peer.string)
    extra = columns.extra.isNull ? nil : columns.extra.string
  }

  /// The row for the interpreter. Its texts are in the arena's memory.
  func columns(in arena: TextArena) -> CELColumns {
    var columns = CELColumns()
    (columns.id, columns.time, columns.callLogID) = (id, time, callLogID)
    (columns.eventtype, columns.userdeftype) = (arena.text(eventtype), arena.text(userdeftype))
    (columns.cidName, columns.cidNum) = (arena.text(callerName), arena.text(callerNumber))
    (columns.exten, columns.context, columns.channame) = (arena.text(exten), arena.text(context), arena.text(channel))
    (columns.appname, columns.appdata) = (arena.text(application), arena.text(applicationData))
    (columns.uniqueid, columns.linkedid) = (arena.text(uniqueid), arena.text(linkedid))
    (columns.userfield, columns.peer, columns.extra) = (arena.text(userfield), arena.text(peer), arena.text(extra))
    return columns
  }

  /// Whether Asterisk made the channel for itself (Interpretation, R16).
  var isOfAsterisk: Bool { ["CBAnn/", "CBRec/", "Announcer/", "Recorder/"].contains { channel.hasPrefix($0) } }

  /// The texts and numbers on the first level of `extra`, all as texts. Empty where it is no JSON.
  var details: [String: String] {
    guard let extra, extra.utf8.first == UInt8(ascii: "{") else { return [:] }
    let found = try? JSONDecoder().decode([String: Detail].self, from: Data(extra.utf8))
    return found?.compactMapValues(\.text) ?? [:]
  }

  private struct Detail: Decodable {
    let text: String?

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      text = (try? value.decode(String.self)) ?? (try? value.decode(Int64.self)).map { String($0) }
    }
  }
}

extension [CallEvent] {
  /// In the order of time; events of one moment in the order of their ids, which is the order in
  /// which Asterisk wrote them.
  func inOrder() -> [CallEvent] { sorted { ($0.time, $0.id) < ($1.time, $1.id) } }
}
