import Foundation
import PrivateServer
import TestSupport
import Testing

/// Rough CELs with what one run that nobody disturbs makes of them.
struct KillCorpus {
  let cels: TestSupport.TestDatabase
  let contents: Dump
  let links: Dump

  init(calls: Int, ledger: KillLedger) throws {
    cels = try TestSupport.TestDatabase(.wazo)
    var random = Seeded(seed: ledger.draw { $0.next() })
    try cels.simulate(calls: calls, seed: random.next())
    try cels.roughen(&random)
    // Yesterday at this time lies somewhere in between, so that `-d 1` is a part.
    try cels.run(
      "UPDATE cel SET eventtime = eventtime + (SELECT now() - interval '24 h' - eventtime FROM cel ORDER BY md5(id::text) LIMIT 1)"
    )
    let original = try TestSupport.TestDatabase(.wazo)
    try original.copy(from: cels)
    let outcome = try Running(
      Program.path, ["backfill"], environment: KillSeries.environment(logs: original, cels: original)
    ).finish()
    guard outcome.status == 0 else { throw KillSeries.Trouble(description: outcome.errors) }
    contents = try original.contents()
    links = try original.links()
  }
}

/// A database, or two, in which verb after verb is killed and started again until it is done; after
/// each the tables are those of the corpus.
struct KillSeries {
  struct Trouble: Error, CustomStringConvertible { let description: String }

  private let corpus: KillCorpus
  private let ledger: KillLedger
  private let logs: TestSupport.TestDatabase
  private let cels: TestSupport.TestDatabase
  private var isApart: Bool { logs !== cels }
  /// Options and verbs that not every version has.
  static let hasWorkers = (try? Program.run("generate", "--help").text.contains("--workers")) == true
  static let hasRegenerate = (try? Program.run("--help").text.contains(" regenerate ")) == true

  init(_ corpus: KillCorpus, _ ledger: KillLedger, isApart: Bool) throws {
    self.corpus = corpus
    self.ledger = ledger
    cels = try TestSupport.TestDatabase(.wazo)
    logs = isApart ? try TestSupport.TestDatabase(.empty) : cels
    try cels.copy(from: corpus.cels)
    try cels.run("SELECT setval('cel_id_seq', (SELECT max(id) FROM cel))")
  }

  static func environment(logs: TestSupport.TestDatabase, cels: TestSupport.TestDatabase) -> [String: String] {
    [
      "WAZO_CALL_LOGS_DB_URI": logs.uri, "WAZO_CALL_LOGS_CEL_DB_URI": cels.uri, "WAZO_CALL_LOGS_DEFAULT_TENANT": tenant,
      "WAZO_CALL_LOGS_LOG_LEVEL": "error",
    ]
  }

  /// Makes everything, deletes and makes it again in all ways, alone and two at a time.
  func run() throws {
    // Alone or two at a time; in both cases every CEL is counted once.
    let first = ledger.draw { random in (0...(random.oneIn(2) ? 1 : 0)).map { _ in random.oneIn(2) ? ["generate"] : ["backfill"] }
    }
    try step(first, kills: 4)
    try compare("\(first)", isFirst: true)
    var verbs = [["generate"], ["backfill"], ["delete", "-A"], ["delete", "-d", "1"]]
    if KillSeries.hasRegenerate { verbs += [["regenerate"], ["regenerate"]] }
    for delete in [["delete", "-A"], ["delete", "-d", "1"]] where !ledger.isDone {
      try step([delete], kills: 2)
      try step([ledger.draw { $0.oneIn(2) ? ["generate"] : ["backfill"] }], kills: 3)
      try compare("\(delete) and made again")
    }
    if KillSeries.hasRegenerate, !ledger.isDone {
      try step([["regenerate"]], kills: 3)
      try compare("regenerate")
    }
    for _ in 0..<2 where !ledger.isDone {
      let two = ledger.draw { random in (0..<2).map { _ in verbs.randomElement(using: &random) ?? ["generate"] } }
      try step(two, kills: 3)
      try compare("\(two) at once")
    }
  }

  // MARK: Running and killing

  /// Runs verbs at once, each until it is done.
  private func step(_ verbs: [[String]], kills: Int) throws {
    let results = Results(count: verbs.count)
    let runner = KilledRuns(
      environment: KillSeries.environment(logs: logs, cels: cels), isApart: isApart, hasWorkers: KillSeries.hasWorkers,
      ledger: ledger)
    DispatchQueue.concurrentPerform(iterations: verbs.count) { number in
      let times = runner.ledger.draw { Int.random(in: (kills + 1) / 2...kills, using: &$0) }
      results.set(number, Result { try runner.drive(verbs[number], kills: times) })
    }
    try results.check()
  }

  // MARK: Comparing

  /// One more run, which nobody kills; then all must be as if nobody had killed anything.
  private func compare(_ what: String, isFirst: Bool = false) throws {
    // Servers notice with their next statement that nobody is there any more.
    try waitForSessions()
    let outcome = try Running(Program.path, ["backfill"], environment: KillSeries.environment(logs: logs, cels: cels)).finish()
    var found = outcome.status == 0 ? "" : "the last run ended with \(outcome.status): \(outcome.errors)\n"
    try waitForSessions()
    func expect(_ expected: String, _ sql: String, on database: TestSupport.TestDatabase, _ what: String) throws {
      let value = try database.value(sql)
      if value != expected { found += "\(what): \(value) instead of \(expected)\n" }
    }
    found += try logs.contents().difference(from: corpus.contents)
    found += try links().difference(from: corpus.links)
    try expect("1", "count(*) FROM call_logd_checkpoint, unnest(covered)", on: logs, "pieces of coverage")
    let bounds = try cels.value("min(id) || '|' || max(id) FROM cel").split(separator: "|")
    try expect(
      "true", "covered @> int8range(\(bounds[0]), \(bounds[1]), '[]') FROM call_logd_checkpoint", on: logs,
      "everything is covered")
    for table in ["call_logd_reach", "call_logd_link", "call_logd_gap", "call_logd_claim"]
    where try logs.value("to_regclass('\(table)') IS NOT NULL") == "true" {
      try expect("0", "count(*) FROM \(table)", on: logs, "rows of \(table)")
    }
    for database in [logs, cels] {
      try expect(
        "0",
        "count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        on: database, "advisory locks")
    }
    if isFirst {
      let rows = try cels.value("count(*) FROM cel")
      try expect(rows, "(counters->>'cels')::int8 FROM call_logd_checkpoint", on: logs, "CELs counted")
    }
    ledger.compared(found.isEmpty ? "" : "after \(what)\(isApart ? ", two databases" : ""):\n\(found)")
  }

  private func waitForSessions() throws {
    for database in [logs, cels] {
      for _ in 0..<1200 {
        let sessions = "pg_stat_activity WHERE datname = current_database() AND application_name = 'wazo-call-logs'"
        if try database.value("count(*) FROM \(sessions)") == "0" { break }
        Thread.sleep(forTimeInterval: 0.02)
      }
    }
  }

  /// The conversation that each CEL points to, from one database or from two.
  private func links() throws -> Dump {
    if !isApart { return try cels.links() }
    let conversations = Dictionary(
      uniqueKeysWithValues: try logs.rows("id, conversation_id FROM call_logd_call_log").map { row in
        let parts = row.split(separator: "|")
        return (parts[0], parts[1])
      })
    return Dump(
      rows: Set(
        try cels.rows("id, call_log_id FROM cel").map { row in
          let parts = row.split(separator: "|")
          return "\(parts[0])|\(parts[1] == "∅")|\(conversations[parts[1]] ?? "∅")"
        }))
  }
}
