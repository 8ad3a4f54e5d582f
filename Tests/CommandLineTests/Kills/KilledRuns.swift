import Foundation
import Testing

/// Runs of the program on some databases, killed as is due.
struct KilledRuns: Sendable {
  let environment: [String: String]
  let isApart: Bool
  let hasWorkers: Bool
  let ledger: KillLedger

  /// Starts a verb again and again, until it was killed so many times and is done.
  /// - Throws: what the program says when it ends in any other way.
  func drive(_ verb: [String], kills: Int) throws {
    var left = kills
    while true {
      let killing = left > 0 && !ledger.isDone ? ledger.next(for: verb, isApart: isApart) : nil
      var environment = environment
      var orders: [String] = []
      if case .point(let point, let passing)? = killing { orders.append("\(point.rawValue):\(passing):kill") }
      if let fault = killing.flatMap({ _ in ledger.fault(for: verb, isApart: isApart) }) {
        orders.append("\(fault.point.rawValue):\(fault.passing):fail")
      }
      environment["WAZO_CALL_LOGS_POINT"] = orders.joined(separator: ",")
      let started = Date()
      let running = try Running(Program.path, arguments(verb), environment: environment)
      var expected = 128 + SIGKILL
      switch killing {
      case .moment(let seconds)?:
        Thread.sleep(forTimeInterval: seconds)
        running.send(SIGKILL)
      case .signal(let signal, let seconds)?:
        expected = 128 + signal
        Thread.sleep(forTimeInterval: seconds)
        running.send(signal)
      default: break
      }
      let outcome = try running.finish()
      if let killing, outcome.status == expected {
        ledger.killed(killing)
        left -= 1
        continue
      }
      guard outcome.status == 0 else {
        throw KillSeries.Trouble(
          description: "\(verb) ended with \(outcome.status) instead of being killed or done: \(outcome.errors)")
      }
      return ledger.ended(verb, seconds: Date().timeIntervalSince(started))
    }
  }

  private func arguments(_ verb: [String]) -> [String] {
    var arguments = verb + ["--chunk-size", "\(ledger.draw { [60, 200, 200, 400].randomElement(using: &$0) ?? 200 })"]
    if hasWorkers, verb[0] != "delete" {
      arguments += ["--workers", "\(ledger.draw { Int.random(in: 1...3, using: &$0) })"]
    }
    return arguments
  }
}
