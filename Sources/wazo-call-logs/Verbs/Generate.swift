import ArgumentParser
import Foundation
import Generation

struct Generate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make call logs from CELs that are not done yet (the default).",
    discussion: """
      Without -c or -d the run covers all CELs above the greatest one that is done. Then it \
      covers 20,000 CELs of history (setting `history`), newest first. The first run covers the \
      newest 20,000 CELs. `backfill` covers all history.

      A call gets its call log after its end. For calls that never get an end, see --close-after. \
      Call logs that Wazo's programs made stay as they are.

      You can kill the run at any moment. Any number of runs may work at the same time, here or \
      on other machines: one worker claims each chunk of CELs.

      Examples:
        wazo-call-logs                     the nightly run
        wazo-call-logs generate -c 50000   the newest 50,000 uncovered CELs
        wazo-call-logs generate -d 7       uncovered CELs of the last 7 days
      """)

  @Option(
    name: [.customShort("c", allowingJoined: true), .long], parsing: .unconditional,
    help: ArgumentHelp("Cover the newest N uncovered CELs.", valueName: "n"))
  var celCount: Int?
  @Option(
    name: [.customShort("d", allowingJoined: true), .long], parsing: .unconditional,
    help: ArgumentHelp("Cover the uncovered CELs of the last N days (24 hours each).", valueName: "n"))
  var days: Int?
  @Flag(name: [.customShort("A"), .long], help: "Same as no option; accepted for Wazo's command line.")
  var all = false
  @Flag(help: "Forget the coverage: the table now holds other CELs, for example after TRUNCATE … RESTART IDENTITY.")
  var rebase = false
  @Flag(help: "Keep the coverage: this is the same database, but dumped and restored, moved or upgraded.")
  var adopt = false
  @Option(help: "How the summary is printed: text or json.")
  var format = OutputFormat.text
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if [celCount != nil, days != nil, all].count(where: { $0 }) > 1 {
      throw ValidationError("-A, -c and -d exclude one another")
    }
    if rebase, adopt { throw ValidationError("--rebase and --adopt exclude one another") }
    if let celCount, celCount <= 0 { throw ValidationError("-c takes a number of CELs above 0, not \(celCount)") }
    if let days, days <= 0 { throw ValidationError("-d takes a number of days above 0, not \(days)") }
  }

  func run() async throws {
    let scope: Scope = celCount.map { .newest($0) } ?? days.map { .days($0) } ?? .nightly
    try await CoverageReport.run(scope, common, format, start: rebase ? .anew : adopt ? .adopting : .usual)
  }
}
