import Foundation
import PostgreSQL
import Synchronization
import Testing

/// Writers of CELs on threads of their own, as unlike each other as PostgreSQL lets them be. Each
/// row of theirs is committed once.
package final class WriterFleet: Sendable {
  /// One writer.
  package struct Writer: Sendable {
    package var uri: String
    package var name: String
    package var rows: [CELRow]
    /// Where it may insert: the table, or the partition that the rows belong to.
    package var tables: [String]
    package var random: Seeded
    /// Whether a transaction holds a whole call and each commits: nothing that comes later brings
    /// one back that was missed.
    package var writesWholeCalls = false
  }

  private let failures = Mutex<[String]>([])
  private let left = Mutex(0)

  package init() {}

  package var isDone: Bool { left.withLock { $0 == 0 } }
  /// What went wrong in the writers.
  package var errors: [String] { failures.withLock { $0 } }

  package func start(_ writers: [Writer]) {
    left.withLock { $0 += writers.count }
    for writer in writers {
      Thread.detachNewThread { [self] in
        do { try writer.run() } catch { failures.withLock { $0.append("\(writer.name): \(error)") } }
        left.withLock { $0 -= 1 }
      }
    }
  }

  /// Two writers each for so many PBXs, whose calls are told by a system name. Those of the last
  /// PBX share calls.
  package static func writers(pbxs: Int, calls: Int, in database: TestDatabase, random: inout Seeded, tables: (Int) -> [String])
    -> [Writer]
  {
    (1...pbxs).flatMap { pbx in
      var shares: [[CELRow]] = [[], []]
      for number in 0..<calls {
        let share = Int.random(in: 0...1, using: &random)
        for row in CELRow.call("pbx\(pbx)-17149896\(10 + number).\(number)", at: Double(number) * 3) {
          shares[pbx == 3 ? Int.random(in: 0...1, using: &random) : share].append(row)
        }
      }
      return shares.enumerated().map { number, rows in
        Writer(
          uri: database.uri, name: "\(database.name)_\(pbx)_\(number)", rows: rows, tables: tables(pbx),
          random: Seeded(seed: random.next()))
      }
    }
  }
}

extension WriterFleet.Writer {
  fileprivate func run() throws {
    var random = random
    var rest = rows[...]
    let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "writer"), log: quiet)
    defer { connection.close() }
    func send(_ sql: String) throws { try connection.script(sql, purpose: "Writing CELs") }
    func pause(_ share: Int = 1) {
      Thread.sleep(forTimeInterval: (random.oneIn(8) ? 0.2 : Double.random(in: 0...0.03, using: &random)) / Double(share))
    }
    while !rest.isEmpty {
      let table = tables.randomElement(using: &random) ?? "cel"
      let some = rest.prefix(writesWholeCalls ? 10 : Int.random(in: 1...4, using: &random))
      var isCommitted = true
      switch writesWholeCalls ? 5 : Int.random(in: 0..<9, using: &random) {
      case 0:
        try send("BEGIN; \(insert(some, table))")
        pause()
        try send("ROLLBACK")
        isCommitted = false
      case 1:
        try send("BEGIN; SAVEPOINT s; \(insert(some, table))")
        pause()
        try send("ROLLBACK TO s; \(insert(some, table))")
        pause()
        try send("COMMIT")
      case 2:
        try send("BEGIN; \(insert(some, table))")
        pause()
        try send("PREPARE TRANSACTION '\(name)'")
        pause()
        isCommitted = Bool.random(using: &random)
        try send("\(isCommitted ? "COMMIT" : "ROLLBACK") PREPARED '\(name)'")
      case 3:
        // Each row has its id long before it is there; the transaction has no number of its own
        // until the first one is.
        try send(insert(some, table, nap: Double.random(in: 0.02...0.2, using: &random) / Double(some.count)))
      case 4:
        try send("BEGIN")
        for row in some {
          try send(insert([row], table))
          pause(some.count)
        }
        try send("COMMIT")
      case 5:
        try send("BEGIN; \(insert(some, table))")
        pause()
        try send("COMMIT")
      default:
        try send(insert(some, table))
        if random.oneIn(2) { pause() }
      }
      if isCommitted { rest = rest.dropFirst(some.count) }
    }
  }

  private func insert(_ rows: some Collection<CELRow>, _ table: String, nap: Double = 0) -> String {
    let columns = "eventtype, eventtime, channame, uniqueid, linkedid, cid_name, cid_num, exten, context, extra"
    let values = rows.map { row in
      let texts = [row.channel, row.uniqueid, row.linkedid, row.name, row.number, row.exten, row.context].map { "'\($0)'" }
      return "('\(row.type)', timestamptz '2024-05-06 10:00Z' + interval '\(row.time) s', \(texts.joined(separator: ", ")), "
        + "\(row.extra.map { "'\($0)'" } ?? "NULL")::text)"
    }.joined(separator: ", ")
    if nap == 0 { return "INSERT INTO \(table) (\(columns)) VALUES \(values)" }
    return """
      INSERT INTO \(table) (id, \(columns)) SELECT id, \(columns)
      FROM (SELECT nextval('cel_id_seq') AS id, pg_sleep(\(nap)), v.* FROM (VALUES \(values)) v (\(columns)) OFFSET 0) taken
      """
  }
}

/// How the tables differ from those that one run over the same CELs gives in a database of its own;
/// empty where they do not.
package func differenceFromFreshRun(_ database: TestDatabase, cels: TestDatabase? = nil, table: String = "cel") throws -> String {
  let fresh = try TestDatabase(.wazo)
  let columns = try fresh.value(
    "string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'cel'::regclass AND attnum > 0 AND attname <> 'call_log_id'"
  )
  try fresh.admin.copyIn("COPY cel (\(columns)) FROM STDIN", purpose: "Copying CELs") { copy in
    try (cels ?? database).admin.copyOut("COPY (SELECT \(columns) FROM \(table)) TO STDOUT", purpose: "Copying CELs") {
      try copy.write($0)
    }
  }
  try Runner(fresh, chunkSize: 1_000_000).backfill()
  var difference = try database.contents().difference(from: fresh.contents())
  if cels == nil, table == "cel" { difference += try database.links().difference(from: fresh.links()) }
  // Rows that are there twice look like one in a set.
  for table in ["call_log", "call_log_participant", "call_log_destination", "recording"] {
    let (found, expected) = (
      try database.value("count(*) FROM call_logd_\(table)"), try fresh.value("count(*) FROM call_logd_\(table)")
    )
    if found != expected { difference += "\(found) rows in call_logd_\(table) instead of \(expected)\n" }
  }
  return difference
}
