import Foundation
import PostgreSQL
import Runs
import TestSupport
import Testing
import Values

@Suite("Named points")
struct PointTests {
  @Test("are passed in order, each once to a chunk of one database; those of links and of delete where there are such")
  func passed() throws {
    var (database, runner) = try wazo(CELRow.call("1714989600.1"), CELRow.call("1714989700.2", at: 100), chunkSize: 10)
    let passings = Passings()
    runner.settings.atPoint = { _ = passings.count($0) }
    try runner.backfill()
    let chunk: [Point] = [
      .afterRead, .beforeCopy, .beforeLinks, .beforeLock, .afterLock, .beforeCoverage, .beforeCommit, .afterCommit,
    ]
    for point in chunk { #expect(passings.all[point] == 2, "\(point)") }
    #expect(passings.all[.beforeDelete] == nil && passings.all[.beforeOldLinks] == nil)
    #expect(try database.conversations().count == 2)
    try runner.delete(.all)
    #expect(passings.all[.beforeDelete] == 1 && passings.all[.afterDelete] == 1)
    #expect(try #require(passings.all[.afterClaim]) >= 2)

    let logs = try TestDatabase(.empty)
    var apart = Runner(logs, cels: database, chunkSize: 10)
    let others = Passings()
    apart.settings.atPoint = { _ = others.count($0) }
    try apart.backfill()
    #expect(others.all[.beforeOldLinks] == 2 && others.all[.afterOldLinks] == 2)
  }

  @Test("obey the environment's orders at their passing and at no other")
  func orders() throws {
    let orders = try PointOrders("after-read:2:fail,after-commit:1:fail,before-lock:1:wait:0.01")
    try orders.reached(.afterRead)
    try orders.reached(.beforeLock)
    #expect(#expect(throws: PostgreSQLError.self) { try orders.reached(.afterRead) }?.kind == .connectionLost)
    try orders.reached(.afterRead)
    #expect(#expect(throws: PostgreSQLError.self) { try orders.reached(.afterCommit) }?.kind == .commitUnknown)
    try orders.reached(.afterCommit)
  }

  @Test(
    "that there are not are refused with those there are",
    arguments: ["after-tea:1:kill", "after-read:0:kill", "after-read:kill", "after-read:1:explode", "after-read:1:wait:long"])
  func nonsense(text: String) throws {
    let error = #expect(throws: JobError.self) { try PointOrders(text) }
    #expect(error?.exitReason.rawValue == 64)
    #expect(error?.message.contains(text) == true && error?.message.contains("before-commit") == true)
  }

  @Test("are described, each of them, where developers read of them")
  func documented() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "../../Sources/Runs/Runs.docc/NamedPoints.md")
    let text = try String(contentsOf: file, encoding: .utf8)
    for point in Point.allCases { #expect(text.contains("`\(point.rawValue)`"), "\(point)") }
  }
}
