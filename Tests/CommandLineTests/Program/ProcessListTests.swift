import Foundation
import Testing

@Suite("The list of processes")
struct ProcessListTests {
  /// Options with a password in them, by what they are added to: the URI of the test's database.
  private static let forms: [@Sendable (TestDatabase) -> [String]] = [
    { ["--db-uri", $0.uri(user: "postgres", password: Program.encodedSecret)] },
    { ["--db-uri=\($0.uri(user: "postgres", password: Program.encodedSecret))"] },
    { ["--db-uri", $0.uri + "&password=\(Program.encodedSecret)"] },
    { ["--db-uri", $0.uri + "&%70assword=\(Program.encodedSecret)"] },
    { ["--db-uri", $0.uri, "--cel-db-uri", $0.uri(user: "postgres", password: Program.encodedSecret)] },
    { ["--cel-db-uri=\($0.keywords) password='\(Program.secret)'", "--db-uri", $0.uri] },
  ]

  @Test("shows no password of a database while the program runs, which connects with it all the same", arguments: forms.indices)
  func hidden(form: Int) throws {
    let database = try TestDatabase(.bare)
    try database.load(.oneCall)
    expectSilence(try database.run("migrate"))
    let holder = try database.hold("LOCK TABLE cel IN ACCESS EXCLUSIVE MODE")
    let run = try Running(
      Program.path, ProcessListTests.forms[form](database) + ["--lock-timeout", "1h"],
      environment: ["WAZO_CALL_LOGS_DEFAULT_TENANT": tenant])
    try wait("for it to be at work") {
      try database.count("pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
    }
    let shown = try #require(run.commandLine)
    #expect(shown.contains("db-uri") && shown.contains("--lock-timeout"))
    #expect(!shown.contains(Program.secret) && !shown.contains(Program.encodedSecret), "\(shown)")
    try holder.end()
    #expect(try run.finish().status == 0)
    #expect(try database.count("call_logd_call_log") == 1)
  }

  @Test("shows what is no URI as stars, and the message of the error is none the less about it")
  func malformed() throws {
    let outcome = try Program.run("status", "--db-uri", "mysql://u:\(Program.encodedSecret)@h/d")
    #expect(outcome.status == 64 && !outcome.errors.isEmpty)
  }
}

extension TestDatabase {
  /// How to reach it, as libpq's keywords.
  fileprivate var keywords: String {
    let query = URLComponents(string: uri)?.queryItems ?? []
    return (query.map { "\($0.name)='\($0.value ?? "")'" } + ["dbname=\(name)"]).joined(separator: " ")
  }
}
