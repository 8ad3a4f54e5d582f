import Foundation
import PrivateServer
import TestSupport
import Testing

@Suite("Killed at any moment")
struct KillTests {
  private static let soak = Int(ProcessInfo.processInfo.environment["SOAK_KILLS"] ?? "")

  @Test("and started again until it is done, the program ends with the tables of a run that nobody killed")
  func kills() throws {
    let ledger = KillLedger(goal: KillTests.soak ?? 30)
    print("kills: seed \(ledger.seed)")
    // Two series side by side, one with the CELs in a database of their own.
    let results = Results(count: 2)
    DispatchQueue.concurrentPerform(iterations: 2) { number in
      results.set(number, Result { try KillTests.repeatSeries(ledger, isApart: number == 1) })
    }
    print(ledger.report)
    try results.check()
    #expect(ledger.differences.isEmpty, "\(ledger.differences.joined(separator: "\n")), seed \(ledger.seed)")
    #expect(ledger.isDone && ledger.comparisons > 1)
    #expect(ledger.untouched.isEmpty, "nothing was killed at \(ledger.untouched)")
  }

  private static func repeatSeries(_ ledger: KillLedger, isApart: Bool) throws {
    repeat {
      let corpus = try KillCorpus(calls: soak == nil ? 120 : 200, ledger: ledger)
      // A few times the same, for making a corpus takes its time.
      for _ in 0..<3 where !ledger.isDone { try KillSeries(corpus, ledger, isApart: isApart).run() }
      if let soak, soak >= 100 { print("\(ledger.kills) kills so far, \(ledger.differences.count) differences") }
    } while !ledger.isDone
  }

  @Test("is what happens: a program without orders passes its points, with an order for one it does not know it says so")
  func orders() throws {
    let database = try TestDatabase(.bare)
    try database.load(.oneCall)
    let killed = try database.run(environment: ["WAZO_CALL_LOGS_POINT": "before-commit:1:kill"])
    #expect(killed.status == 128 + SIGKILL && killed.isSilent)
    #expect(try database.count("call_logd_call_log") == 0)
    expectFailure(
      try database.run(environment: ["WAZO_CALL_LOGS_POINT": "before-tea:1:kill"]), 64, "before-tea", "after-commit")
    expectSilence(try database.run())
    #expect(try database.count("call_logd_call_log") == 1)
  }
}
