import PostgreSQL

/// How many lanes there are, and how long work waits for one.
public struct LaneSettings: Sendable {
  /// The database, and the settings of each session, such as `statement_timeout`.
  public var connection: ConnectionParameters
  /// Lanes, each with a connection: 1 or more.
  public var count: Int
  /// How much work may wait: 1 or more.
  public var queue: Int
  /// How long work waits for a free lane.
  public var wait: Duration
  /// How long the reader of a stream may take nothing.
  public var readerIdle: Duration = .seconds(60)
  /// How long a stream may last. Its snapshot keeps VACUUM from its work.
  public var streamLimit: Duration = .seconds(3600)

  /// Settings of these.
  public init(connection: ConnectionParameters, count: Int, queue: Int = 64, wait: Duration = .seconds(5)) {
    (self.connection, self.count, self.queue, self.wait) = (connection, max(1, count), max(1, queue), wait)
  }
}

/// What the lanes did, for whoever watches them.
public struct LaneCounts: Equatable, Sendable {
  /// Work that waits now.
  public var waiting = 0
  /// Work that runs now.
  public var running = 0
  /// Work that ended, well or not.
  public var ended = 0
  /// Work that was refused because too much waited, or that waited too long.
  public var refused = 0
  /// Attempts to connect that failed.
  public var failedConnections = 0
  /// Seconds that the ended work took on its lane.
  public var seconds = 0.0
}
