/// Why work was not done on a lane. The database is not to blame for any of these but one.
public enum LaneError: Error, Equatable, Sendable {
  /// Too much work waits already.
  case isFull
  /// The work waited too long for a free lane.
  case waitedTooLong
  /// The lanes are closed, because the service ends.
  case isClosed
  /// The database cannot be reached. The text is for people and has no password.
  case databaseIsAway(String)
  /// The reader of a stream took nothing for too long.
  case readerIsIdle
  /// A stream lasted too long.
  case streamIsTooLong
  /// The reader of a stream went away.
  case readerIsGone
}
