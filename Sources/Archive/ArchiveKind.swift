/// A table that has archives.
public enum ArchiveKind: String, CaseIterable, Codable, Sendable {
  /// Call logs with their participants, destinations and recordings.
  case callLogs = "call-logs"
  /// Channel events.
  case cel

  /// The contents of the files of one part, in the order in which they are written, and in which they are restored.
  public var contents: [FileContent] {
    switch self {
    case .callLogs: [.callLogs, .participants, .destinations, .recordings]
    case .cel: [.cel]
    }
  }
}

/// What one file of a part holds.
public enum FileContent: String, CaseIterable, Codable, Sendable {
  /// Rows of call logs.
  case callLogs = "call-logs"
  /// Their participants.
  case participants
  /// The details of their destinations.
  case destinations
  /// Their recordings: rows, not audio.
  case recordings
  /// Channel events.
  case cel
}
