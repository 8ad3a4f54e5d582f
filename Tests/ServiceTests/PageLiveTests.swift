import API
import Foundation
import ServiceSupport
import TestSupport
import Testing
import Values

@testable import Service

@Suite("New rows of the page", .fewAtOnce, .timeLimit(.minutes(5)))
struct PageLiveTests {
  private func fast(_ settings: inout CallLogServiceSettings) {
    settings.events.poll = .milliseconds(50)
    settings.events.check = .milliseconds(200)
  }

  private func remake(_ ids: String, _ database: TestDatabase) throws {
    try database.run("INSERT INTO call_logd_remade SELECT nextval('call_logd_call_log_id_seq'), '{\(ids)}'")
  }

  /// The markup in an event.
  private func rows(_ event: StreamClient.Event) -> String {
    guard case .string(let rows)? = JSONValue(json: Array(event.data.utf8))?["rows"] else { return "" }
    return rows
  }

  @Test("A new call comes as the row that the list has of it, where it fits the page's filter, and of the reader's tenants alone")
  func rows() async throws {
    try await withService(settings: fast) { service, database, tokens in
      let token = try tokens.create(name: "t", tenants: .some(own: uuid(1), others: []), accesses: ["call-logd.cdr.read"])
      let page = try await PageOfTest.signedIn(service, token: token)
      try database.addTenants(3)
      try database.write(2)
      let all = try await StreamClient.open(page, "?zone=Europe/Paris")
      let some = try await StreamClient.open(page, "?q=from:1*%20is:missed&direction=inbound")
      let late = try await StreamClient.open(page, "?from=2030-01-01T00:00")
      #expect(all.status == 200 && all.headers["content-type"] == "text/event-stream")
      let hostile = "'<img src=x onerror=alert(1)>'"
      let ids =
        try database.write(1, [("source_exten", "'101'"), ("direction", "'inbound'"), ("source_name", hostile)])
        + database.write(1, [("source_exten", "'101'"), ("direction", "'internal'")])
        + database.write(1, [("source_exten", "'101'"), ("direction", "'inbound'"), ("date_answer", "'2024-05-01Z'")])
      try database.write(1, tenant: 2, [("source_exten", "'101'"), ("direction", "'inbound'")])
      let last = try database.write(1, [("source_exten", "'102'"), ("direction", "'inbound'"), ("blocked", "false")])
      #expect(await all.wait { $0.callLogs == ids + last })
      #expect(await some.wait { $0.callLogs == [ids[0]] + last })
      #expect(late.callLogs.isEmpty)
      let list = try await page.get("/?zone=Europe/Paris")
      for event in all.events {
        let row = rows(event).components(separatedBy: "<tr data-id").last?.components(separatedBy: "</tr>").first ?? "none"
        #expect(list.text.contains("<tr data-id" + row + "</tr>"), "\(row)")
        #expect(!rows(event).contains("<img") && rows(event).hasPrefix("<tbody data-day=\"2024-05-01\">"))
      }
      for client in [all, some, late] { await client.close() }
    }
  }

  @Test("A call log that was made again comes again, or leaves where it no longer fits; of others nothing is said")
  func remade() async throws {
    try await withService(settings: fast) { service, database, tokens in
      let token = try tokens.create(name: "t", tenants: .some(own: uuid(1), others: []), accesses: ["call-logd.cdr.read"])
      let page = try await PageOfTest.signedIn(service, token: token)
      try database.addTenants(3)
      try database.write(3, [("direction", "'inbound'")])
      try database.write(1, tenant: 2, [("direction", "'inbound'")])
      let client = try await StreamClient.open(page, "?direction=inbound")
      try database.run("UPDATE call_logd_call_log SET direction = 'outbound' WHERE id IN (1, 4)")
      try database.run("UPDATE call_logd_call_log SET source_name = 'Again' WHERE id = 2")
      try remake("1,2,4", database)
      let new = try database.write(1, [("direction", "'outbound'")]) + database.write(1, [("direction", "'inbound'")])
      #expect(await client.wait { $0.callLogs.last == new[1] })
      #expect(client.events.map { "\($0.name) \($0.callLog)" } == ["left 1", "call_log 2", "call_log \(new[1])"])
      #expect(rows(client.events[1]).contains("Again"))
      await client.close()
    }
  }

  @Test("A reader that comes again gets what it missed")
  func again() async throws {
    try await withService(settings: fast) { service, database, tokens in
      let token = try tokens.create(name: "t", tenants: .all, accesses: ["call-logd.cdr.read"])
      let page = try await PageOfTest.signedIn(service, token: token)
      try database.addTenants(2)
      let client = try await StreamClient.open(page)
      let first = try database.write(2)
      #expect(await client.wait { $0.callLogs == first })
      await client.close()
      let missed = try database.write(3)
      let next = try await StreamClient.open(page, lastID: client.lastID)
      #expect(await next.wait { $0.callLogs.suffix(3) == missed })
      await next.close()
    }
  }

  @Test("A user gets their own calls alone, without tags, and nobody gets anything once the session has ended")
  func own() async throws {
    try await withService(settings: fast) { service, database, tokens in
      let token = try tokens.create(
        name: "own", tenants: .some(own: uuid(1), others: []), user: uuid(5), accesses: ["call-logd.users.me.cdr.read"])
      let page = try await PageOfTest.signedIn(service, token: token)
      try database.addTenants(2)
      let client = try await StreamClient.open(page)
      try database.run(
        """
        BEGIN;
        INSERT INTO call_logd_call_log (id, date, tenant_uuid) VALUES (101, '2024-05-01Z', '\(uuid(1))'), (102, '2024-05-01Z', '\(uuid(1))');
        INSERT INTO call_logd_call_log_participant (uuid, call_log_id, user_uuid, role, tags)
        VALUES (gen_random_uuid(), 102, '\(uuid(5))', 'source', '{secrettag}'), (gen_random_uuid(), 101, '\(uuid(6))', 'source', '{}');
        COMMIT
        """)
      #expect(await client.wait { $0.callLogs == [102] })
      #expect(!client.text.contains("secrettag"))
      _ = try await page.post("/session/end")
      #expect(await client.wait { $0.isOver })
      let stranger = try await StreamClient.open(page)
      #expect(stranger.status == 401)
      await client.close()
      await stranger.close()
    }
  }

  @Test("A filter that means nothing, and a stranger, get no stream")
  func refused() async throws {
    try await withService(settings: fast) { service, _, tokens in
      let token = try tokens.create(name: "t", tenants: .all, accesses: ["call-logd.cdr.read"])
      let page = try await PageOfTest.signedIn(service, token: token)
      #expect(try await page.get("/live?q=is:x").status == 400)
      #expect(try await PageOfTest(service: service).get("/live").status == 401)
    }
  }
}
