import Foundation
import PostgreSQL
import Store
import TestSupport
import Testing

/// Numbers of workers and runs begin anew in each database, and tables of databases made from one
/// template have one number: locks must be told apart by their database.
@Suite("Two databases of one server with the same numbers")
struct NeighbourTests {
  private let call = "1714989600.1"

  private func checkpoint(_ connection: Connection) throws -> (CELTable, Checkpoint) {
    let table = try CELTable.find("cel", timeZone: nil, on: connection)
    return (table, try Checkpoint.obtain(table, on: connection))
  }

  private func wait(_ location: SourceLocation = #_sourceLocation, until holds: () throws -> Bool) throws {
    for _ in 0..<1000 {
      if try holds() { return }
      Thread.sleep(forTimeInterval: 0.01)
    }
    Issue.record("waited in vain", sourceLocation: location)
  }

  @Test("ending a worker's lost session leaves the neighbour's worker of that number alive")
  func endSession() throws {
    let (one, other) = (try TestDatabase(.wazo), try TestDatabase(.wazo))
    let (lost, neighbour) = (try one.connect(), try other.connect())
    for connection in [lost, neighbour] { #expect(try Claims.lock(owner: 77, on: connection)) }
    try Claims.endSession(ofOwner: 77, on: one.admin)
    try wait { try Claims.lock(owner: 77, on: one.admin) }
    #expect(throws: Never.self) { try neighbour.query("SELECT", purpose: "Looking whether it is alive") }
    #expect(try Claims.holders(ofOwner: 77, on: other.admin).all.map(\.processID) == [Int64(neighbour.backendProcessID)])
  }

  @Test("a run and a claim whose session is gone are dead, though the neighbour has locks of their numbers")
  func dead() throws {
    let (one, runner) = try wazo(CELRow.call(call))
    let (other, _) = try wazo()
    try runner.context().databases.close()
    let session = try one.connect()
    let (_, checkpoint) = try checkpoint(session)
    let run = try RunRecord.begin(
      checkpoint, verb: "backfill", parameters: "", program: "x", host: "elsewhere", pid: 7, on: session)
    #expect(try Claims.lock(owner: 77, on: session))
    _ = try Claims(checkpoint).take(1..<11, owner: 77, run: run.id, on: session)
    #expect(try Claims.lock(owner: 77, on: other.admin))
    try other.run("SELECT pg_advisory_lock(x'63616c72'::int, \(run.id))")
    #expect(try Claims(checkpoint).seen(on: one.admin).map(\.isAlive) == [true])
    #expect(try RunRecord.recent(checkpoint, limit: 9, on: one.admin).map(\.outcome) == [nil])
    let process = session.backendProcessID
    session.close()
    try wait {
      try one.run("SELECT pg_stat_clear_snapshot()")
      return try one.value("count(*) FROM pg_stat_activity WHERE pid = \(process)") == "0"
    }
    #expect(try Claims(checkpoint).seen(on: one.admin).map(\.isAlive) == [false])
    #expect(try RunRecord.recent(checkpoint, limit: 9, on: one.admin).map(\.outcome) == [.died])
  }

  @Test("who writes CELs of the neighbour is no writer here")
  func writers() throws {
    let (one, other) = (try TestDatabase(.wazo), try TestDatabase(.wazo))
    let (table, twin) = (
      try CELTable.find("cel", timeZone: nil, on: one.admin), try CELTable.find("cel", timeZone: nil, on: other.admin)
    )
    #expect(table.identity.table == twin.identity.table)
    let writer = try other.connect()
    try writer.script("BEGIN; LOCK TABLE cel IN ROW EXCLUSIVE MODE", purpose: "Writing")
    #expect(try table.writers(on: one.admin).isEmpty && table.openWriters(on: one.admin).isEmpty)
    #expect(try twin.writers(on: other.admin).count == 1)
  }
}
