import Foundation
import PostgreSQL
import TestSupport
import Testing

/// A day of a telephone system in fast motion, with programs that are killed and frozen.
final class SoakDay: Sendable {
  /// How long and how hard it is.
  struct Plan: CustomStringConvertible {
    var calls = 150
    var kills = 12
    var seconds = 25.0

    /// `make soak-follow` sets them.
    init(_ environment: [String: String]) {
      calls = environment["FOLLOW_CALLS"].flatMap { Int($0) } ?? calls
      kills = environment["FOLLOW_KILLS"].flatMap { Int($0) } ?? kills
      seconds = environment["FOLLOW_SECONDS"].flatMap { Double($0) } ?? max(seconds, Double(calls) / 170)
    }

    var description: String { "\(calls) calls in \(Int(seconds)) s, some \(kills) kills" }

    /// How long each of the four that are killed lives, on average.
    var life: Double { seconds * 4 / Double(max(kills, 1)) }
  }

  let plan: Plan
  let database: TestDatabase
  let folder: Scratch
  let cels: Int
  /// What happened, and how often.
  let happened = Locked<[String: Int]>([:])
  /// Where the service listens; nil while it does not.
  let url = Locked<String?>(nil)
  let service = Locked<RunningService?>(nil)

  private let times: [String]
  private let columns: String
  private let started = Locked(Date())
  private let written = Locked(0)
  private let writersLeft = Locked(SoakDay.writers)

  static let writers = 4
  /// Seconds after which a program of this day counts as stuck.
  static let limit = 1200.0

  init(_ plan: Plan, seed: UInt64) throws {
    self.plan = plan
    (database, folder) = (try TestDatabase(.bare), try Scratch())
    let end = Date(timeIntervalSinceNow: -3 * 3600).ISO8601Format().prefix(16)
    // A day of 86,400 s, in which a call lasts 71 s.
    let busy = max(20, plan.calls * 71 / 86_400)
    let line =
      """
      simulate-calls --calls \(plan.calls) --seed \(seed % 1_000_000) --users 400 --until \(end) --busy \(busy) \
        --cels cels.csv --directory-sql directory.sql 2>/dev/null &&
      psql -X -q -v ON_ERROR_STOP=1 -d '\(database.uri)' -f directory.sql -c 'CREATE UNLOGGED TABLE day (LIKE cel)' \
        -c "\\\\copy day ($(head -n 1 cels.csv)) from cels.csv csv header" -c 'CREATE UNIQUE INDEX ON day (id)' -c 'ANALYZE day' &&
      rm cels.csv
      """.replacing("cels.csv", with: folder.path + "/cels.csv").replacing("directory.sql", with: folder.path + "/directory.sql")
    let simulated = try Running("/bin/bash", ["-o", "pipefail", "-c", line]).finish(within: SoakDay.limit)
    guard simulated.status == 0 else { throw Failed("simulate-calls: \(simulated.errors)") }
    cels = try database.count("day")
    columns = try database.psql(
      "SELECT string_agg(attname, ', ') FROM pg_attribute WHERE attrelid = 'day'::regclass AND attnum > 0 AND attname NOT IN ('id', 'call_log_id')"
    )
    times = try database.psql(
      """
      SELECT to_char(eventtime AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM day
      WHERE id % greatest(1, (SELECT count(*) FROM day) / 500) = 0 ORDER BY id
      """
    ).split(separator: "\n").map(String.init)
  }

  /// Something that must not happen.
  struct Failed: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  var isOver: Bool { writersLeft.with { $0 == 0 } }
  /// The share of the CELs that are written.
  var share: Double { Double(written.with { $0 }) / Double(max(cels, 1)) }

  func count(_ what: String) { happened.with { $0[what, default: 0] += 1 } }

  /// Sleeps, but not beyond the end of the day.
  func sleep(_ seconds: Double) {
    let start = Date()
    while !isOver, Date().timeIntervalSince(start) < seconds { Thread.sleep(forTimeInterval: 0.05) }
  }

  func environment(_ more: [String: String] = [:]) -> [String: String] {
    ["WAZO_CALL_LOGS_CHECKPOINT_DIR": folder.path, "WAZO_CALL_LOGS_LOG_LEVEL": "info"].merging(more) { $1 }
  }

  func begin() { started.with { $0 = Date() } }

  /// A time of the day so far.
  func time(_ random: inout Seeded) -> String {
    let known = max(1, Int(Double(times.count) * share))
    return times.prefix(known).randomElement(using: &random) ?? "2000-01-01"
  }

  // MARK: Writers

  /// Writes its share of the CELs: in time on the whole, in bursts, some committed late, some at
  /// second try.
  func write(_ number: Int, _ seed: UInt64) throws {
    defer { writersLeft.with { $0 -= 1 } }
    var random = Seeded(seed: seed)
    let connection = try Connection(ConnectionParameters(uri: database.uri, applicationName: "writer"), log: quiet)
    defer { connection.close() }
    let most = max(6, Int(Double(cels) / plan.seconds / Double(SoakDay.writers) / 5))
    var next = number + 1
    while next <= cels {
      let due = plan.seconds * Double(next) / Double(cels)
      let ahead = due - started.with { Date().timeIntervalSince($0) }
      if ahead > 0 { Thread.sleep(forTimeInterval: min(ahead, 1)) }
      // A burst follows a pause.
      if random.oneIn(60) { Thread.sleep(forTimeInterval: Double.random(in: 0...2, using: &random)) }
      let rows = Int.random(in: 1...most, using: &random)
      let last = min(next + (rows - 1) * SoakDay.writers, cels)
      try connection.script(
        """
        BEGIN; INSERT INTO cel (\(columns)) SELECT \(columns) FROM day
        WHERE id = ANY(ARRAY(SELECT generate_series(\(next), \(last), \(SoakDay.writers)))) ORDER BY id
        """, purpose: "Writing CELs")
      if random.oneIn(8) { Thread.sleep(forTimeInterval: Double.random(in: 0...(random.oneIn(12) ? 3 : 0.2), using: &random)) }
      let isKept = !random.oneIn(10)
      try connection.script(isKept ? "COMMIT" : "ROLLBACK", purpose: "Writing CELs")
      guard isKept else { continue }
      let count = (last - next) / SoakDay.writers + 1
      written.with { $0 += count }
      next += count * SoakDay.writers
    }
  }
}
