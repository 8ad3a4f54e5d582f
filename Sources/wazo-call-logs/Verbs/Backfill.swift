import ArgumentParser
import CallLogs

struct Backfill: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make call logs from all history that is not done yet.",
    discussion: """
      Covers all CELs that are not covered, or those between two ids or two dates. CELs that come \
      in after the start are left to the next run. You can stop it at any time and start it again. \
      Several backfills, here or on other machines, share the work.

      With dates the run looks for the least and the greatest CEL id in the range, and takes all \
      ids between the two. A call that reaches out of the range is made from all its CELs. A date \
      without an offset is in local time; TZ=UTC before the command makes it UTC.

      Examples:
        wazo-call-logs backfill                                     all history
        wazo-call-logs backfill --from 2025-03-01 --to 2025-03-31   all of March
        wazo-call-logs backfill --from 2025-03-30T10:00+02:00       since then
        wazo-call-logs backfill --from-id 1000000 --to-id 1999999   a range of ids
        wazo-call-logs backfill --workers 4                         four at a time
        wazo-call-logs backfill --no-link-cels                      faster, no links
      """)

  @OptionGroup var range: RangeOptions
  @Option(help: "How the summary is printed: text or json.")
  var format = OutputFormat.text
  @OptionGroup var common: CommonOptions

  func run() async throws { try await CoverageReport.run(try range.scope(), common, format) }
}
