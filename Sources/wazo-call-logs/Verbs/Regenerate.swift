import ArgumentParser
import Generation
import Runs
import Terminal

struct Regenerate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make call logs anew from their CELs, in place.",
    discussion: """
      Remakes the call logs of a range of CELs, of one conversation, or of all history. Use it \
      after a correction of the directory, of default_tenant or of cel_time_zone, after an update \
      of the program, or to bring back call logs that somebody deleted by hand.

      Call logs keep their ids. A call log with the same result stays the same to the byte. Call \
      logs that Wazo's programs made are remade, too. CELs that were not done are done afterwards.

      A call whose first CELs are gone keeps its existing call log. A deleted recording (its path \
      is NULL) stays deleted. An interrupted run starts its range again from the beginning.

      Examples:
        wazo-call-logs regenerate --from 2025-03-01 --to 2025-03-31   all of March
        wazo-call-logs regenerate --from-id 1000000 --to-id 1999999   a range of ids
        wazo-call-logs regenerate --conversation 1714989600.10        by a linkedid
        wazo-call-logs regenerate --conversation 4711                 by call log id
        wazo-call-logs regenerate                                     all history
      """)

  @OptionGroup var range: RangeOptions
  @Option(help: ArgumentHelp("One conversation: one of its linkedids, or the id of its call log.", valueName: "id"))
  var conversation: String?
  @Option(help: "How the summary is printed: text or json.")
  var format = OutputFormat.text
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if conversation != nil, range.isGiven { throw ValidationError("--conversation and a range exclude one another") }
    if conversation?.isEmpty == true { throw ValidationError("--conversation takes a linkedid, or the id of a call log") }
  }

  func run() async throws {
    guard let conversation else { return try await CoverageReport.run(try range.scope(), common, format, remakes: true) }
    try await Session.run(common) { session in
      let counters = try RegenerateJob(try session.context()).run(conversation)
      switch format {
      case .json: try Console.result(counters.json)
      case .text: try Console.result(Regenerate.text(counters))
      }
    }
  }

  private static func text(_ counters: Counters) -> String {
    if counters.conversationsKept > 0 {
      return counters.conversationsPurged > 0
        ? "The call log was purged; it is not made again." : "The call log is left as it stands: the first of its CELs are gone."
    }
    if counters.callLogsWritten > 0 {
      return "\(Human.count(counters.callLogsWritten, "call log")) written"
        + (counters.callLogsRemoved > 0 ? ", \(Human.count(counters.callLogsRemoved)) removed." : ".")
    }
    return "The CELs give no call log" + (counters.callLogsRemoved > 0 ? "; the existing one is removed." : ".")
      + " `wazo-call-logs explain` shows why."
  }
}
