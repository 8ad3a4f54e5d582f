import PostgreSQL
import Store
import Values

/// Which rows are due: how long call logs and CELs are kept.
public enum Retention: Equatable, Sendable {
  /// Everything before this time, of every tenant.
  case before(Int64)
  /// So many days of 24 hours before now, by tenant.
  case days(Days)

  /// Days by where they were set.
  public struct Days: Equatable, Sendable {
    /// The command line's.
    public var commandLine: Int?
    /// `days_to_keep` of wazo-purge-db.
    public var daysToKeep: Int?
    /// `days_to_keep_per_plugin` of wazo-purge-db.
    public var perPlugin: [String: Int]
    /// The settings' own default for call logs, in place of the one stored in the database.
    public var callLogs: Int?
    /// The same for audio files.
    public var recordings: Int?

    /// Days of these sources.
    public init(
      commandLine: Int? = nil, daysToKeep: Int? = nil, perPlugin: [String: Int] = [:], callLogs: Int? = nil,
      recordings: Int? = nil
    ) {
      (self.commandLine, self.daysToKeep, self.perPlugin) = (commandLine, daysToKeep, perPlugin)
      (self.callLogs, self.recordings) = (callLogs, recordings)
    }

    /// What Wazo keeps for a year when nobody says anything.
    static let builtIn = 365

    /// The days that wazo-purge-db would give one of its purgers.
    func purge(_ plugin: String) -> Int { perPlugin[plugin] ?? commandLine ?? daysToKeep ?? Days.builtIn }

    /// The days of a tenant's call logs or audio files, and where they come from: what the tenant chose; else wazo-purge-db's where it is not the built-in value and nobody stored
    /// another default; else the stored default.
    func days(of kept: CallLogTables.Kept, tenant: Int?, stored: Int?) -> (days: Int, source: String) {
      if let tenant { return (tenant, "the tenant's own") }
      let storedDefault = (kept == .callLogs ? callLogs : recordings) ?? stored ?? Days.builtIn
      let purge = purge(kept == .callLogs ? "call-logs" : "recordings")
      return purge != Days.builtIn && storedDefault == Days.builtIn ? (purge, "the purge's") : (storedDefault, "the default")
    }
  }

  /// The time before which call logs, or the audio files of theirs, are due, by tenant, and that in words.
  /// - Parameter only: a tenant to which it is restricted
  func due(_ kept: CallLogTables.Kept, only: UUIDValue?, now: Int64, on connection: Connection) throws -> (
    cutoffs: CallLogTables.Cutoffs, words: [String]
  ) {
    let tenants = try CallLogTables.retention(of: kept, on: connection).filter { only == nil || $0.tenant == only }
    switch self {
    case .before(let time):
      return (tenants.map { ($0.tenant, min(time, now)) }, ["call logs of before \(TimestampText.text(min(time, now)))"])
    case .days(let days):
      let stored = try CallLogTables.storedDays(of: kept, on: connection)
      var cutoffs: CallLogTables.Cutoffs = []
      var words: [String] = []
      for tenant in tenants {
        let (count, source) = days.days(of: kept, tenant: tenant.days, stored: stored)
        cutoffs.append((tenant.tenant, Retention.time(count, before: now)))
        words.append(
          "tenant \(tenant.tenant): \(count) days (\(source)), before \(TimestampText.text(Retention.time(count, before: now)))")
      }
      return (cutoffs, words)
    }
  }

  /// The time before which CELs are due, and that in words.
  func cels(now: Int64) -> (before: Int64, words: [String]) {
    switch self {
    case .before(let time): return (min(time, now), ["CELs of before \(TimestampText.text(min(time, now)))"])
    case .days(let days):
      let count = days.purge("cel")
      let time = Retention.time(count, before: now)
      return (time, ["\(count) days, before \(TimestampText.text(time))"])
    }
  }

  private static func time(_ days: Int, before now: Int64) -> Int64 {
    // Some 5,000 years at most: PostgreSQL's time goes no further back.
    now - Int64(max(0, min(days, 2_000_000))) * 86_400_000_000
  }
}
