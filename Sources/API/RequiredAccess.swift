import Values

/// The accesses that requests need, in Wazo's language.
public enum RequiredAccess {
  /// To list call logs.
  public static let listCallLogs = "call-logd.cdr.read"
  /// To list those of the user whose token it is.
  public static let listOwnCallLogs = "call-logd.users.me.cdr.read"
  /// To get new call logs as they come. Wazo has no such request.
  public static let streamCallLogs = "call-logd.cdr.stream.read"
  /// To get statistics of call logs. Wazo has no such request.
  public static let readStatistics = "call-logd.cdr.stats.read"
  /// To delete the recordings of many call logs.
  public static let deleteManyMedia = "call-logd.cdr.recordings.media.delete"
  /// To make an export.
  public static let createExport = "call-logd.cdr.recordings.media.export.create"
  /// To see how long things are kept.
  public static let readRetention = "call-logd.retention.read"
  /// To set how long things are kept.
  public static let updateRetention = "call-logd.retention.update"
  /// To see the configuration. This one and the next are spelt with an underscore.
  public static let readConfiguration = "call_logd.config.read"
  /// To change the configuration.
  public static let updateConfiguration = "call_logd.config.update"
  /// To see whether the service is well.
  public static let readStatus = "call-logd.status.read"

  /// To read a call log.
  public static func readCallLog(_ id: Int32) -> String { "call-logd.cdr.\(id).read" }

  /// To see the events of a call. Wazo has no such request. Of a call in which the user took part,
  /// ``listOwnCallLogs`` is enough.
  public static func readEvents(ofCallLog id: Int32) -> String { "call-logd.cdr.\(id).events.read" }

  /// To list the call logs of a user.
  public static func listCallLogs(ofUser user: UUIDValue) -> String { "call-logd.users.\(user).cdr.read" }

  /// To hear a recording.
  public static func readMedia(_ recording: UUIDValue, ofCallLog callLog: Int32) -> String {
    "call-logd.cdr.\(callLog).recordings.\(recording).media.read"
  }

  /// To hear a recording of a call in which the user whose token it is took part.
  public static func readOwnMedia(_ recording: UUIDValue, ofCallLog callLog: Int32) -> String {
    "call-logd.users.me.cdr.\(callLog).recordings.\(recording).media.read"
  }

  /// To delete a recording.
  public static func deleteMedia(_ recording: UUIDValue, ofCallLog callLog: Int32) -> String {
    "call-logd.cdr.\(callLog).recordings.\(recording).media.delete"
  }

  /// To look at an export.
  public static func readExport(_ export: UUIDValue) -> String { "call-logd.exports.\(export).read" }

  /// To download an export.
  public static func downloadExport(_ export: UUIDValue) -> String { "call-logd.exports.\(export).download.read" }
}
