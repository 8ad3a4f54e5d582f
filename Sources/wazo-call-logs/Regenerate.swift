import ArgumentParser
import Generation
import PostgreSQL
import Runs
import Terminal

struct Regenerate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make call logs anew from their CELs, in place.",
    discussion: """
      Remakes the call logs of a range of CELs, or of one conversation: after the directory was corrected, or an update of this program. Rows keep their ids; what \
      comes out the same stays the same to the byte. Those that Wazo's program made are remade, too. A call some of whose CELs were purged keeps the call log it has, and a \
      deleted recording stays deleted. Where nothing is given, all of history. What was not done yet is done as well. A range that was interrupted is begun again from its start.

      Examples:
        wazo-call-logs regenerate --from 2025-03-01 --to 2025-03-31   all of March
        wazo-call-logs regenerate --conversation 1714989600.10   by linkedid
        wazo-call-logs regenerate --conversation 4711            by the id of the call log
      """)

  @OptionGroup var range: RangeOptions
  @Option(help: ArgumentHelp("One conversation: a linkedid of it, or the id of its call log.", valueName: "id"))
  var conversation: String?
  @Option(help: "How the summary is printed: text or json.")
  var format = OutputFormat.text
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if conversation != nil, range.isGiven { throw ValidationError("--conversation and a range exclude one another") }
    if conversation?.isEmpty == true { throw ValidationError("--conversation takes a linkedid, or the id of a call log") }
  }

  func run() async throws {
    guard let conversation else { return try await Covering.run(try range.scope(), common, format, remakes: true) }
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
        ? "The call log was purged, and is not made again." : "The call log is left as it stands: the first of its CELs are gone."
    }
    if counters.callLogsWritten > 0 {
      return "\(Human.count(counters.callLogsWritten, "call log")) written"
        + (counters.callLogsRemoved > 0 ? ", \(Human.count(counters.callLogsRemoved)) removed." : ".")
    }
    return "The CELs give no call log" + (counters.callLogsRemoved > 0 ? "; the one that was there is removed." : ".")
      + " `wazo-call-logs explain` tells why."
  }
}
