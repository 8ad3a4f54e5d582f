import Foundation
import Testing

/// A flaw is counted and named; the call stands, and so do all others.
@Suite("CELs that are not as they should be")
struct BadCELTests {
  /// A bad event within a call, what the summary says of it, and what the call log then has.
  struct Bad: Sendable, CustomTestStringConvertible {
    let event: String
    let columns: [String: String]
    let label: String
    let key: String
    var testDescription: String { key }
  }

  static let bad = [
    Bad(event: "XIVO_USER_FWD", columns: ["extra": "{not json"], label: "extra is not JSON", key: "malformed_json"),
    Bad(event: "XIVO_INCALL", columns: ["extra": #"{"extra":5}"#], label: "unexpected extra", key: "unexpected_payload"),
    Bad(event: "NO_SUCH_EVENT", columns: [:], label: "unknown event", key: "unknown_event"),
    Bad(
      event: "APP_START", columns: ["uniqueid": "1772445600.77", "channame": "PJSIP/carol-00000003"],
      label: "channel without CHAN_START",
      key: "missing_chan_start"),
    Bad(
      event: "XIVO_INCALL", columns: ["extra": #"{"extra":"our tenant"}"#], label: "tenant is not a UUID", key: "unusable_tenant"),
    Bad(
      event: "CHAN_START", columns: ["uniqueid": "1772445600.78", "channame": "?§$%"], label: "unknown kind of channel name",
      key: "unknown_channel_name"),
    Bad(event: "HOLD", columns: ["eventtime": "infinity"], label: "unreadable eventtime", key: "unreadable_time"),
    Bad(event: "HOLD", columns: ["linkedid": ""], label: "no linkedid", key: "empty_linkedid"),
  ]

  @Test("The call stands, the flaw is counted with its CEL", arguments: bad)
  func standing(bad: Bad) throws {
    let database = try TestDatabase(.bare)
    var file = CELFile()
    var id = 0
    file.addCall("1772445500.1")
    file.addCall { id = $0.add(bad.event, bad.columns) }
    try database.load(file)
    let outcome = try database.run("--format", "json", "-D")
    #expect(outcome.status == 0)
    #expect(try outcome.json()["call_logs_written"] as? Int == 2)
    #expect(try outcome.json()["flaw_\(bad.key)"] as? Int == 1)
    #expect(outcome.errors.contains("debug: \(bad.label): 1, such as CEL \(id)\n"))
    #expect(
      try database.psql("SELECT DISTINCT requested_exten, destination_name, tenant_uuid FROM call_logd_call_log")
        == "1002|Bob|\(tenant)")
  }

  @Test("What wants a look is printed without a terminal, everyday flaws are not")
  func printed() throws {
    let database = try TestDatabase(.bare)
    var everyday = CELFile()
    everyday.addCall { $0.add("NO_SUCH_EVENT") }
    try database.load(everyday)
    expectSilence(try database.run())
    let other = try TestDatabase(.bare)
    var file = CELFile()
    var id = 0
    file.addCall { id = $0.add("XIVO_USER_FWD", ["extra": "{"]) }
    try other.load(file)
    let outcome = try other.run()
    #expect(outcome.status == 0)
    #expect(outcome.errors.isEmpty)
    #expect(outcome.text.contains("13 CELs covered in "))
    #expect(outcome.text.hasSuffix("1 × extra is not JSON (CEL \(id))\n"))
    expectSilence(try other.run())
  }

  @Test("A name longer than its column is cut and counted")
  func longName() throws {
    let database = try TestDatabase(.bare)
    let name = String(repeating: "é", count: 300)
    try database.psql(CELFile.oneCall.copy.replacing("Alice", with: name))
    let outcome = try database.run("--format", "json")
    #expect(outcome.status == 0)
    #expect(try outcome.json()["flaw_cut_text"] as? Int ?? 0 > 0)
    #expect(try database.psql("SELECT source_name = repeat('é', 255) FROM call_logd_call_log") == "t")
  }

  @Test("A conversation that the server refuses is named and left out; the others are stored, and it is not tried each night")
  func refused() throws {
    let database = try TestDatabase(.bare)
    var file = CELFile()
    for call in 1...9 { file.addCall("177244560\(call).1") }
    try database.load(file)
    expectSilence(try database.run("migrate"))
    try database.psql("ALTER TABLE call_logd_call_log ADD CONSTRAINT of_ours CHECK (conversation_id <> '1772445605.1')")
    let outcome = try database.run()
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("wazo-call-logs: warning: refused conversation 1772445605.1: "))
    #expect(outcome.errors.contains("of_ours"))
    #expect(outcome.text.contains("12 of conversations that were refused"))
    #expect(try database.count("call_logd_call_log") == 8)
    #expect(try database.count("cel WHERE call_log_id IS NULL") == 12)
    expectSilence(try database.run())
  }

  @Test("Without LINKEDID_END nothing can be told to have ended, which is said with the line of cel.conf")
  func noEnds() throws {
    let database = try TestDatabase(.bare)
    var file = CELFile()
    for call in 1...100 { file.addCall("17724\(45000 + call).1", ended: false) }
    try database.load(file)
    let outcome = try database.run()
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("no LINKEDID_END in 1,100 CELs"))
    #expect(outcome.errors.contains("events= of cel.conf"))
    #expect(try database.count("call_logd_call_log") == 0)
  }

  @Test("Where most events are unknown, or none begins a channel, the run says in one sentence what is wrong; it ends well")
  func strangeEvents() throws {
    let lower = try TestDatabase(.bare)
    let noStarts = try TestDatabase(.bare)
    var file = CELFile()
    for call in 1...30 { file.addCall("call-\(call)-") }
    for database in [lower, noStarts] { try database.load(file) }
    try lower.psql("UPDATE cel SET eventtype = lower(eventtype)")
    try noStarts.psql("UPDATE cel SET eventtype = 'APP_START' WHERE eventtype = 'CHAN_START'")
    for (database, part) in [
      (lower, "360 of 360 CELs are of unknown events"), (noStarts, "no CHAN_START in 360 CELs"),
    ] {
      let outcome = try database.run()
      #expect(outcome.status == 0)
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("warning: ") && outcome.errors.contains(part), "\(outcome.errors)")
      expectSilence(try database.run())
    }
    // An unknown event here and there is no news.
    let some = try TestDatabase(.bare)
    try some.load(file)
    try some.psql("UPDATE cel SET eventtype = 'TEA_TIME' WHERE eventtype = 'HANGUP'")
    expectSilence(try some.run())
  }

  @Test("eventtime hours off the uniqueids is said once, with the setting that mends it")
  func clock() throws {
    let database = try TestDatabase(.bare)
    var file = CELFile()
    for call in 1...5 { file.addCall("17724420\(10 + call).1") }
    try database.load(file)
    let outcome = try database.run("--chunk-size", "12")
    #expect(outcome.status == 0)
    #expect(outcome.errors.split(separator: "\n").count == 1)
    #expect(outcome.errors.contains("eventtime is +1 h off"))
    #expect(outcome.errors.contains("cel_time_zone") && outcome.errors.contains("`wazo-call-logs regenerate`"))
  }
}
