import Foundation
import Testing

@Suite("Help and version")
struct HelpTests {
  /// `RENEW_SNAPSHOTS=1 swift test --filter HelpTests` writes the files anew; what changed is then
  /// for git to show.
  private static let renews = ProcessInfo.processInfo.environment["RENEW_SNAPSHOTS"] != nil
  private static let snapshots = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Snapshots")

  static let verbs = [
    "generate", "delete", "backfill", "regenerate", "status", "explain", "interpret", "migrate", "follow", "archive", "purge",
    "restore", "export", "token",
  ]

  @Test(
    "--help is as the snapshot has it",
    arguments: [""] + verbs + ["archives list", "archives verify", "token create", "token list", "token revoke"])
  func help(verb: String) throws {
    let outcome = try Running(Program.path, verb.split(separator: " ").map(String.init) + ["--help"]).finish()
    #expect(outcome.status == 0)
    #expect(outcome.errors.isEmpty)
    try HelpTests.expectSnapshot(outcome, verb.isEmpty ? "wazo-call-logs" : verb.replacing(" ", with: "-"))
  }

  /// Expects the output that the snapshot of that name has.
  static func expectSnapshot(_ outcome: Outcome, _ name: String, _ location: SourceLocation = #_sourceLocation) throws {
    let file = snapshots.appendingPathComponent(name + ".txt")
    if renews { try outcome.output.write(to: file) }
    #expect(outcome.text == (try String(contentsOf: file, encoding: .utf8)), sourceLocation: location)
  }

  @Test("Every verb explains itself with an example that names the program", arguments: verbs)
  func examples(verb: String) throws {
    let text = try Program.run(verb, "--help").text
    #expect(text.contains("Example") && text.contains("  wazo-call-logs") || text.contains("| wazo-call-logs"))
  }

  @Test("-h, help VERB and options around --help give the same help")
  func otherWays() throws {
    let help = try Program.run("status", "--help")
    for outcome in [
      try Program.run("status", "-h"), try Program.run("help", "status"), try Program.run("-D", "status", "--help"),
    ] {
      #expect(outcome.status == 0)
      #expect(outcome.text == help.text)
    }
  }

  @Test("--version is a number, of the program and of each verb", arguments: [[], ["status"], ["-D"]])
  func version(before: [String]) throws {
    let outcome = try Running(Program.path, before + ["--version"]).finish()
    #expect(outcome.status == 0)
    #expect(outcome.text.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
  }

  @Test("The other programs of the package explain themselves", arguments: ["simulate-calls", "private-server"])
  func developmentPrograms(name: String) throws {
    let outcome = try Running("\(Program.folder)/\(name)", ["--help"]).finish()
    #expect(outcome.status == 0)
    #expect(outcome.text.contains("USAGE: \(name)"))
  }
}
