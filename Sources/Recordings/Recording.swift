import Listing
import Values

/// A recording whose audio is not deleted.
public struct Recording: Equatable, Sendable {
  /// The id of its call log.
  public let callLog: Int32
  /// Its uuid.
  public let uuid: UUIDValue
  /// Its start, in microseconds since 2000-01-01 UTC.
  public let start: Int64
  /// Its end, in microseconds since 2000-01-01 UTC.
  public let end: Int64
  /// The path of the audio file, as bytes.
  public let path: [UInt8]

  package init(callLog: Int32, uuid: UUIDValue, start: Int64, end: Int64, path: [UInt8]) {
    (self.callLog, self.uuid, self.start, self.end, self.path) = (callLog, uuid, start, end, path)
  }

  /// The path for messages.
  public var pathText: String { String(decoding: path, as: UTF8.self) }

  /// The name of the download. Listings show the same name.
  public var fileName: String { Recording.fileName(callLog: callLog, uuid: uuid, start: start) }

  /// The name of a recording's download.
  /// - Parameter start: in microseconds since 2000-01-01 UTC
  public static func fileName(callLog: Int32, uuid: UUIDValue, start: Int64) -> String {
    // The name does not depend on the tenant.
    let view = CallLogView(id: Int64(callLog), tenant: UUIDValue(high: 0, low: 0), start: start)
    return view.fileName(of: CallLogView.Recording(uuid: uuid, start: start, end: start, isDeleted: false))
  }
}

/// The outcome of a search for a recording.
public enum RecordingSearch: Equatable, Sendable {
  /// The recording has a file.
  case found(Recording)
  /// The tenants have no call log of that id, or the user did not take part in it.
  case noCallLog
  /// The call log has no such recording.
  case noRecording
  /// The audio of the recording was deleted.
  case deleted
}
