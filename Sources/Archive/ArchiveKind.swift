/// A table that has archives.
public enum ArchiveKind: String, CaseIterable, Codable, Sendable {
  /// Call logs with their participants, destinations and recordings.
  case callLogs = "call-logs"
  /// Channel events.
  case cel

  /// The contents of a part's files, in the order of writing and of restoring.
  public var contents: [FileContent] {
    switch self {
    case .callLogs: [.callLogs, .participants, .destinations, .recordings]
    case .cel: [.cel]
    }
  }
}

/// The content of one file of a part.
public enum FileContent: String, CaseIterable, Codable, Sendable {
  /// Rows of call logs.
  case callLogs = "call-logs"
  /// Their participants.
  case participants
  /// The details of their destinations.
  case destinations
  /// The rows of their recordings, without audio files.
  case recordings
  /// Channel events.
  case cel
}
