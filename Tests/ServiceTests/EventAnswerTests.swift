import API
import Authentication
import Foundation
import PostgreSQL
import ServiceSupport
import Store
import TestSupport
import Testing
import Values

@testable import Service

@Suite("The events of a call", .fewAtOnce, .timeLimit(.minutes(5)))
struct EventAnswerTests {
  private static let linkedid = "1714989600.10"

  /// A service on a database with Wazo's CEL table, with the call logs of these CELs.
  private func withCalls(
    _ rows: [CELRow], cels: TestDatabase? = nil, _ body: (ServiceUnderTest, TestDatabase, TokensFile) async throws -> Void
  ) async throws {
    let database = try TestDatabase(cels == nil ? .wazo : .empty)
    try (cels ?? database).insert(rows)
    try Runner(database, cels: cels).generate()
    let tokens = try TokensOfTest()
    defer { tokens.remove() }
    let service = try await ServiceUnderTest.start(database.uri, tokens.authenticator) { settings in
      if let cels { settings.cels?.database = ConnectionParameters(uri: cels.uri, applicationName: "service-tests") }
    }
    let result = await Result { () async throws in try await body(service, database, tokens.file) }
    await service.stop()
    try result.get()
  }

  private func callLog(_ database: TestDatabase) throws -> Int {
    try #require(Int(try database.value("min(id)::int8 FROM call_logd_call_log")))
  }

  private func texts(_ list: JSONValue?, _ key: String) -> [String] {
    guard case .list(let items)? = list else { return [] }
    return items.map { if case .string(let text)? = $0[key] { text } else { "" } }
  }

  @Test("say what each channel did, what each event meant, and why the call log is what it is", arguments: [false, true])
  func whole(elsewhere: Bool) async throws {
    let cels = elsewhere ? try TestDatabase(.wazo) : nil
    try await withCalls(CELRow.call(EventAnswerTests.linkedid), cels: cels) { service, database, tokens in
      let token = try tokens.create(name: "events", tenants: .all, accesses: ["call-logd.cdr.*.events.read"])
      let id = try callLog(database)
      let answer = try await service.ask(as: token, "/cdr/\(id)/events")
      #expect(answer.status == 200, "\(answer.text)")
      let json = try #require(answer.json)
      #expect(json["id"] == .integer(Int64(id)) && json["conversation_id"] == "1714989600.10")
      #expect(json["state"] == "complete" && json["is_complete"] == .flag(true) && json["in_archive"] == .flag(false))
      #expect(
        texts(json["events"], "type") == [
          "CHAN_START", "APP_START", "CHAN_START", "ANSWER", "ANSWER", "BRIDGE_ENTER", "BRIDGE_ENTER", "CHAN_END", "CHAN_END",
          "LINKEDID_END",
        ])
      #expect(texts(json["events"], "meaning_text").first == "Ann (101) dials 102.")
      #expect(texts(json["events"], "read_as").prefix(3) == ["caller", "caller", "callee"])
      #expect(texts(json["channels"], "role") == ["caller", "callee"])
      guard case .list(let channels)? = json["channels"] else { return }
      #expect(texts(channels[1]["segments"], "kind") == ["ringing", "alone", "talking"])
      #expect(channels[0]["end"] == "2024-05-06T10:00:08+00:00")
      #expect(texts(json["why"]?["facts"], "fact") == ["conversation", "caller", "answer", "direction", "end"])
      #expect(json["why"]?["flaws"] == .list([]))
    }
  }

  @Test("are said to be incomplete, purged, purged into an archive, or not there at all")
  func states() async throws {
    try await withCalls(CELRow.call(EventAnswerTests.linkedid)) { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      let id = try callLog(database)
      func state() async throws -> String {
        let answer = try await service.ask(as: token, "/cdr/\(id)/events")
        #expect(answer.status == 200, "\(answer.text)")
        guard case .string(let state)? = answer.json?["state"] else { return "" }
        return state
      }
      try database.run("DELETE FROM cel WHERE eventtype = 'LINKEDID_END'")
      #expect(try await state() == "unfinished")
      try database.run("DELETE FROM cel WHERE id < 5; UPDATE cel SET eventtype = 'LINKEDID_END' WHERE id = 9")
      #expect(try await state() == "partial")
      try database.run("DELETE FROM cel")
      #expect(try await state() == "absent")
      func part(_ month: String, deletes: Bool) throws {
        try database.run(
          """
          INSERT INTO call_logd_archive (kind, month, part, folder, files, system, database, run_id, deletes, state)
          VALUES ('cel', '\(month)', 1, '/archive', '{}', 1, 1, 1, \(deletes), 'published')
          """)
      }
      // Neither another month nor a copy says that they were purged.
      try part("2024-04", deletes: true)
      #expect(try await state() == "absent")
      try part("2024-05", deletes: false)
      #expect(try await state() == "absent")
      try database.run("UPDATE call_logd_archive SET deletes = true")
      #expect(try await state() == "archived")
      let answer = try await service.ask(as: token, "/cdr/\(id)/events")
      #expect(answer.json?["archive_months"] == .list(["2024-05"]) && answer.json?["why"] == .null)
      #expect(!answer.text.contains("/archive"))
      try database.run("DROP TABLE cel")
      #expect(try await state() == "unavailable")
      #expect(service.log.warnings.contains { $0.contains("cannot be shown") })
      try database.run(Schemas.wazoCEL)
      #expect(try await state() == "archived")
    }
  }

  @Test("of a call that shares its linkedid with a call of another tenant are kept from whoever does not see both")
  func shared() async throws {
    try await withCalls(CELRow.call(EventAnswerTests.linkedid)) { service, database, tokens in
      let own = try #require(UUIDValue(defaultTenant))
      let all = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      let one = try tokens.create(name: "one", tenants: .some(own: own, others: []), accesses: ["call-logd.#"])
      let id = try callLog(database)
      #expect(try await service.ask(as: one, "/cdr/\(id)/events").json?["state"] == "complete")
      try database.run(
        """
        INSERT INTO call_logd_tenant VALUES ('\(uuid(7))');
        INSERT INTO call_logd_call_log (id, date, tenant_uuid, direction, conversation_id)
        VALUES (999, '2024-01-01Z', '\(uuid(7))', 'internal', '\(EventAnswerTests.linkedid)');
        """)
      let answer = try await service.ask(as: one, "/cdr/\(id)/events")
      #expect(answer.json?["state"] == "hidden" && answer.json?["events"] == .list([]) && !answer.text.contains("PJSIP"))
      #expect(try await service.ask(as: all, "/cdr/\(id)/events").json?["state"] == "complete")
      let missing = try await service.ask(as: one, "/cdr/999/events")
      let unknown = try await service.ask(as: one, "/cdr/998")
      #expect(missing.status == 404 && missing.errorID == unknown.errorID)
    }
  }

  @Test("are for who may see them, and a user sees those of the own calls, without the dialplan's data")
  func access() async throws {
    try await withCalls(CELRow.call(EventAnswerTests.linkedid)) { service, database, tokens in
      let id = try callLog(database)
      try database.run(
        """
        INSERT INTO call_logd_call_log_participant (uuid, call_log_id, user_uuid, role, tags)
        VALUES (gen_random_uuid(), \(id), '\(uuid(5))', 'source', '{}');
        """)
      let lister = try tokens.create(name: "lister", tenants: .all, accesses: ["call-logd.cdr.read", "call-logd.cdr.*.read"])
      #expect(try await service.ask(as: lister, "/cdr/\(id)/events").status == 401)
      let own = try #require(UUIDValue(defaultTenant))
      func user(_ number: Int) throws -> String {
        try tokens.create(
          name: "user-\(number)", tenants: .some(own: own, others: []), user: uuid(number),
          accesses: ["call-logd.users.me.cdr.read"])
      }
      let (took, other) = (try user(5), try user(6))
      #expect(try await service.ask(as: took, "/cdr/\(id)/events").status == 401)
      #expect(try await service.ask(as: other, "/users/me/cdr/\(id)/events").status == 404)
      let answer = try await service.ask(as: took, "/users/me/cdr/\(id)/events")
      #expect(answer.status == 200 && answer.json?["state"] == "complete" && !answer.text.contains("bridge_id"))
    }
  }

  @Test("never show which keys were pressed, and are cut where there are very many")
  func limits() async throws {
    var rows = CELRow.call(EventAnswerTests.linkedid)
    rows.insert(
      CELRow(
        "DTMF", 6.5, uniqueid: EventAnswerTests.linkedid, linkedid: EventAnswerTests.linkedid, channel: "PJSIP/aaa11-10",
        extra: #"{"digit":"7","duration_ms":424242}"#), at: 7)
    try await withCalls(rows) { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      let id = try callLog(database)
      let answer = try await service.ask(as: token, "/cdr/\(id)/events")
      #expect(texts(answer.json?["events"], "type").contains("DTMF") && !answer.text.contains("424242"))
      try database.run(
        """
        INSERT INTO cel (eventtype, eventtime, uniqueid, linkedid)
        SELECT 'DTMF', '2024-05-06 10:00Z', '\(EventAnswerTests.linkedid)', '\(EventAnswerTests.linkedid)' FROM generate_series(1, \(CELReader.most))
        """)
      let long = try await service.ask(as: token, "/cdr/\(id)/events")
      #expect(long.json?["is_cut"] == .flag(true) && texts(long.json?["events"], "type").count == CELReader.most)
    }
  }
}
