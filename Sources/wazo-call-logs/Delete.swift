import ArgumentParser
import Foundation
import Jobs

struct Delete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Delete call logs, so that they can be made again.",
    discussion: """
      As in Wazo's program: -d N deletes the call logs of the last N days and keeps the older ones. The CELs stay; generate makes the call \
      logs again.

      Examples:
        wazo-call-logs delete -d 30 && wazo-call-logs generate -d 30   make the last 30 days again
        wazo-call-logs delete -A                                       delete every call log of every tenant
      """)

  @Flag(name: [.customShort("A"), .long], help: "Delete every call log of every tenant.")
  var all = false
  @Option(
    name: [.customShort("d", allowingJoined: true), .long], parsing: .unconditional,
    help: ArgumentHelp("Delete the call logs of the last N days (24 hours each).", valueName: "n"))
  var days: Int?
  @Option(
    name: [.customShort("c", allowingJoined: true), .long], parsing: .unconditional,
    help: ArgumentHelp("Without effect; kept for Wazo's command line.", valueName: "n"))
  var celCount: Int?
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if [celCount != nil, days != nil, all].count(where: { $0 }) > 1 {
      throw ValidationError("-A, -c and -d exclude one another")
    }
    if let days, days <= 0 { throw ValidationError("-d takes a number of days above 0, not \(days)") }
    if let celCount, celCount <= 0 { throw ValidationError("-c takes a number of CELs above 0, not \(celCount)") }
  }

  func run() async throws {
    guard all || days != nil else {
      Console.error("delete does nothing without -A (every call log) or -d N (those of the last N days)")
      return
    }
    try await Session.run(common) { session in
      let context = try session.context(interprets: false)
      let deleted = try DeleteJob(context) { Console.progress("\(Human.count($0)) call logs deleted") }.run(
        days.map { .lastDays($0) } ?? .all)
      Console.clearProgress()
      if Console.isOutputTerminal { try Console.result("\(Human.count(deleted, "call log")) deleted; their CELs are uncovered.") }
    }
  }
}
