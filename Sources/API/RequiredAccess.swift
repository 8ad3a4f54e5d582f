/// The accesses that requests need, in Wazo's language.
public enum RequiredAccess {
  /// To list call logs.
  public static let listCallLogs = "call-logd.cdr.read"
  /// To list those of the user whose token it is.
  public static let listOwnCallLogs = "call-logd.users.me.cdr.read"
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
  /// - Parameter id: as it stands in the path
  public static func readCallLog(_ id: String) -> String { "call-logd.cdr.\(word(id)).read" }

  /// To list the call logs of a user.
  /// - Parameter user: as it stands in the path
  public static func listCallLogs(ofUser user: String) -> String { "call-logd.users.\(word(user)).cdr.read" }

  /// To hear a recording.
  /// - Parameters:
  ///   - recording: as it stands in the path
  ///   - callLog: as it stands in the path
  public static func readMedia(_ recording: String, ofCallLog callLog: String) -> String {
    "call-logd.cdr.\(word(callLog)).recordings.\(word(recording)).media.read"
  }

  /// To hear a recording of a call in which the user whose token it is took part.
  /// - Parameters:
  ///   - recording: as it stands in the path
  ///   - callLog: as it stands in the path
  public static func readOwnMedia(_ recording: String, ofCallLog callLog: String) -> String {
    "call-logd.users.me.cdr.\(word(callLog)).recordings.\(word(recording)).media.read"
  }

  /// To delete a recording.
  /// - Parameters:
  ///   - recording: as it stands in the path
  ///   - callLog: as it stands in the path
  public static func deleteMedia(_ recording: String, ofCallLog callLog: String) -> String {
    "call-logd.cdr.\(word(callLog)).recordings.\(word(recording)).media.delete"
  }

  /// To look at an export.
  /// - Parameter export: as it stands in the path
  public static func readExport(_ export: String) -> String { "call-logd.exports.\(word(export)).read" }

  /// To download an export.
  /// - Parameter export: as it stands in the path
  public static func downloadExport(_ export: String) -> String { "call-logd.exports.\(word(export)).download.read" }

  /// A text as one word, which has no dots.
  private static func word(_ text: String) -> String { text.replacing(".", with: "_") }
}
