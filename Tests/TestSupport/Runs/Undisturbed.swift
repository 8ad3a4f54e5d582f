import Foundation
import PostgreSQL
import PrivateServer
import Runs
import Synchronization
import Testing

/// A corpus with what one undisturbed run makes of it.
package struct Undisturbed {
  package let database: TestDatabase
  package let chunkSize: Int
  package let seed: UInt64

  /// Simulated calls.
  /// - Parameter isRough: whether they are mixed up (late events, several linkedids to a call, lost
  ///   ones)
  package init(calls: Int = 40, chunkSize: Int = 60, isRough: Bool = true) throws {
    var random = Seeded()
    seed = random.seed
    self.chunkSize = chunkSize
    database = try TestDatabase(.wazo)
    try database.simulate(calls: calls, seed: random.next(), concurrent: 12)
    if isRough { try database.roughen(&random) }
    try Runner(database, chunkSize: chunkSize).backfill()
  }

  /// The same CELs, of which nothing is done, and a runner that goes on trying for long enough.
  package func again(_ database: TestDatabase? = nil) throws -> (TestDatabase, Runner) {
    let copy = try database ?? TestDatabase(.wazo)
    try copy.copy(from: self.database)
    try copy.run("UPDATE cel SET call_log_id = NULL; SELECT setval('cel_id_seq', (SELECT max(id) FROM cel))")
    var runner = Runner(copy, chunkSize: chunkSize)
    // The schema comes from a run that does nothing, so that only work is disturbed.
    try runner.backfill(to: -1)
    runner.settings.retryFor = 60
    return (copy, runner)
  }

  /// Expects the tables and the counts of the undisturbed run: nothing lost, nothing twice.
  package func expectSame(as other: TestDatabase, _ what: String, _ location: SourceLocation = #_sourceLocation) throws {
    let what = "\(what), seed \(seed)"
    TestSupport.expectSame(try other.contents(), try database.contents(), what, location)
    TestSupport.expectSame(try other.links(), try database.links(), what, location)
    try expectWhole(other, what, location)
    #expect(try celCounters(other) == celCounters(database), "\(what)", sourceLocation: location)
    #expect(
      try other.value("(counters->>'cels')::int8 FROM call_logd_checkpoint") == other.value("count(*) FROM cel"),
      "every CEL is counted once, \(what)", sourceLocation: location)
  }

  private func celCounters(_ database: TestDatabase) throws -> [String] {
    try database.rows("key, value FROM call_logd_checkpoint, jsonb_each_text(counters) WHERE key LIKE 'cels%' ORDER BY 1")
  }

  /// Expects of a run that ended early that the stored call logs are those whose CELs are covered,
  /// each as the undisturbed run has it. For calls whose CELs are not mixed up: there every call is
  /// made once.
  package func expectPart(_ other: TestDatabase, _ what: String, _ location: SourceLocation = #_sourceLocation) throws {
    let whole = try database.rows(
      "conversation_id, max(c.id) FROM call_logd_call_log l JOIN cel c ON c.call_log_id = l.id GROUP BY 1"
    ).map { $0.split(separator: "|") }
    var due: Set<String> = []
    for call in whole where try other.value("covered @> \(call[1])::int8 FROM call_logd_checkpoint") == "true" {
      due.insert(String(call[0]))
    }
    #expect(try Set(other.conversations()) == due, "\(what), seed \(seed)", sourceLocation: location)
    #expect(
      try Set(other.rows("l.conversation_id, c.id FROM cel c JOIN call_logd_call_log l ON l.id = c.call_log_id"))
        == Set(
          database.rows("l.conversation_id, c.id FROM cel c JOIN call_logd_call_log l ON l.id = c.call_log_id").filter {
            due.contains($0.split(separator: "|").first.map(String.init) ?? "")
          }), "\(what), seed \(seed)", sourceLocation: location)
    #expect(
      try database.contents().rows.isSuperset(of: other.contents().rows), "\(what), seed \(seed)", sourceLocation: location)
    let orphans = "cel WHERE call_log_id IS NOT NULL AND call_log_id NOT IN (SELECT id FROM call_logd_call_log)"
    #expect(try other.value("count(*) FROM \(orphans)") == "0", "\(what)", sourceLocation: location)
  }
}
