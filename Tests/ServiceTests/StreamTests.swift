import API
import Authentication
import Foundation
import PrivateServer
import ServiceSupport
import Store
import Synchronization
import TestSupport
import Testing
import Values

@testable import Service

@Suite("The stream of call logs", .fewAtOnce, .timeLimit(.minutes(5)))
struct StreamTests {
  private func fast(_ settings: inout CallLogServiceSettings) {
    settings.events.poll = .milliseconds(50)
    settings.events.check = .milliseconds(200)
  }

  private func token(
    _ tokens: TokensFile, _ tenant: Int? = 1, _ access: String = "call-logd.cdr.#", name: String = "t"
  ) throws -> String {
    try tokens.create(
      name: name, tenants: tenant.map { .some(own: uuid($0), others: []) } ?? .all, accesses: [access])
  }

  @Test("gives each new call log as the list does, and none that is old or of another tenant")
  func events() async throws {
    try await withService(settings: fast) { service, database, tokens in
      let token = try token(tokens)
      try database.addTenants(3)
      try database.write(3)
      let client = try await StreamClient.open(service, token)
      #expect(client.status == 200 && client.headers["content-type"] == "text/event-stream")
      #expect(client.headers["cache-control"] == "no-store" && client.headers["x-accel-buffering"] == "no")
      var ids = try database.write(2)
      try database.write(tenant: 2, conversation: "other")
      ids += try database.write(conversation: "7.1")
      let expected = ids
      #expect(await client.wait { $0.callLogs.count >= expected.count })
      #expect(client.callLogs == expected && client.text.hasPrefix("retry: 2000\nid: 3\n\n"))
      let listed = try await service.ask(as: token, "/cdr?conversation_id=7.1")
      #expect(listed.text.contains("[" + (client.events.last?.data ?? "nothing") + "]"))
      // A remade call log of Wazo's daemon has a new id.
      try database.run("DELETE FROM call_logd_call_log WHERE conversation_id = '7.1'")
      let again = try database.write(conversation: "7.1")
      #expect(await client.wait { $0.callLogs == expected + again })
      await client.close()
    }
  }

  @Test("goes on where a client was, from the header or the query; without a place, or with a bad one, it begins now")
  func resumes() async throws {
    try await withService(settings: fast) { service, database, tokens in
      let token = try token(tokens)
      try database.addTenants(2)
      try database.write(10)
      for (query, header, expected) in [
        ("", "7", [8, 9, 10]), ("?last_event_id=8", nil, [9, 10]), ("", nil, []), ("", "-1", []), ("", "7x", []),
        ("", "99999999999999999999", []),
        ("", "4000000000", []), ("?last_event_id=8", "9", [10]), ("", "0", Array(1...10)),
      ] as [(String, String?, [Int64])] {
        let client = try await StreamClient.open(service, token, query, lastID: header)
        let new = try database.write()
        #expect(await client.wait { $0.callLogs.last == new[0] })
        #expect(client.callLogs == expected + new, "\(query) \(header ?? "none")")
        await client.close()
        try database.run("DELETE FROM call_logd_call_log WHERE id > 10")
      }
    }
  }

  @Test("gives a call log again that a job made again under its old id and noted so")
  func remade() async throws {
    try await withService(settings: fast) { service, database, tokens in
      let token = try token(tokens)
      try database.addTenants(2)
      try database.run(
        """
        CREATE TABLE IF NOT EXISTS call_logd_remade (
          number integer PRIMARY KEY, call_logs integer[] NOT NULL, made timestamptz NOT NULL DEFAULT now())
        """)
      try database.write(5)
      let client = try await StreamClient.open(service, token)
      try database.write(1)
      try database.run("INSERT INTO call_logd_remade SELECT nextval('call_logd_call_log_id_seq'), '{2, 4}'")
      try database.write(1)
      #expect(await client.wait { $0.callLogs == [6, 2, 4, 8] })
      let other = try await StreamClient.open(service, token, lastID: "6")
      #expect(await other.wait { $0.callLogs == [2, 4, 8] })
      #expect(other.events.map(\.lastID).last != "6")
      await client.close()
      await other.close()
    }
  }

  @Test("gives what our own runs make, and make again")
  func runs() async throws {
    let (database, runner) = try wazo(CELRow.call("1714989600.1"), CELRow.call("1714989700.2", at: 100))
    let tokens = try TokensOfTest()
    defer { tokens.remove() }
    try Migrator(database.admin).migrate(program: "tests")
    let service = try await ServiceUnderTest.start(database.uri, tokens.authenticator, settings: fast)
    let client = try await StreamClient.open(service, try token(tokens.file, nil), "?recurse=true")
    try runner.generate()
    #expect(await client.wait { $0.callLogs == [1, 2] })
    try runner.regenerate(.ids(from: nil, to: nil))
    #expect(await client.wait { $0.callLogs == [1, 2, 1, 2] })
    await client.close()
    await service.stop()
  }

  @Test("tells a client its place as it rises, also where no call log is for it")
  func place() async throws {
    func edit(_ settings: inout CallLogServiceSettings) {
      fast(&settings)
      settings.events.comment = .milliseconds(100)
    }
    try await withService(settings: edit) { service, database, tokens in
      try database.addTenants(3)
      let client = try await StreamClient.open(service, try token(tokens))
      try database.write(5, tenant: 2)
      #expect(await client.wait { $0.lastID == "5" && $0.text.contains(":\n") })
      #expect(client.callLogs.isEmpty)
      await client.close()
    }
  }

  @Test("has the filters of the list; order, page and form change nothing")
  func filters() async throws {
    try await withService(settings: fast) { service, database, tokens in
      let token = try token(tokens, nil)
      try database.addTenants(3)
      let queries = [
        "?conversation_id=1.5&recurse=true", "?search=ann&recurse=true", "?call_status=blocked&recurse=true",
        "?recurse=true&order=tenant_uuid&direction=desc&limit=1&offset=5&format=csv&distinct=peer_exten",
        "?recurse=true&tenant=\(uuid(2))",
        "?number=10_&recurse=true&from_id=3",
      ]
      var clients: [StreamClient] = []
      for query in queries { clients.append(try await StreamClient.open(service, token, query)) }
      try database.write(conversation: "1.5")
      try database.write(conversation: "1.6", [("source_name", "'Ann'"), ("source_exten", "'101'")])
      try database.write(conversation: "1.6", [("blocked", "true")])
      try database.write(tenant: 2, conversation: "1.5", [("destination_exten", "'102'")])
      let expected: [[Int64]] = [[1, 4], [2], [3], [1, 2, 4], [4], [4]]
      for (client, ids) in zip(clients, expected) {
        #expect(await client.wait { $0.callLogs.count >= ids.count })
        #expect(client.callLogs == ids)
        await client.close()
      }
      #expect(try await service.ask(as: token, "/cdr/stream?from=yesterday").status == 400)
    }
  }

  @Test("needs its access, which the query may carry, and ends when the token is revoked")
  func access() async throws {
    try await withService(settings: fast) { service, database, tokens in
      let other = try token(tokens, 1, "call-logd.cdr.read", name: "other")
      #expect(try await service.ask(as: other, "/cdr/stream").status == 401)
      let token = try token(tokens, 1, "call-logd.cdr.stream.read")
      #expect(
        try await service.ask("HEAD", "/cdr/stream", ["X-Auth-Token": token]).headers["content-type"] == "text/event-stream")
      let client = try await StreamClient.open(service, "", "?token=\(token)")
      #expect(client.status == 200)
      _ = try tokens.revoke("t")
      #expect(await client.wait { $0.isOver })
      #expect(try await service.ask(as: token, "/cdr/stream").status == 401)
      #expect(await client.wait { _ in service.log.infos.contains { $0.contains("/cdr/stream?token=") } })
      #expect(service.log.lines.allSatisfy { !$0.text.contains(token) })
    }
  }

  @Test("waits while nobody can say whether a token is valid, and gives what came meanwhile")
  func unknown() async throws {
    try await withService(settings: fast) { service, database, tokens in
      try database.addTenants(2)
      let client = try await StreamClient.open(service, try token(tokens))
      try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: tokens.path)
      try await Task.sleep(for: .milliseconds(600))
      try database.write()
      try await Task.sleep(for: .milliseconds(600))
      #expect(client.callLogs.isEmpty && !client.isOver)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: tokens.path)
      #expect(await client.wait { $0.callLogs == [1] })
      await client.close()
    }
  }

  @Test("takes so many clients, and others when they have gone")
  func limit() async throws {
    try await withService { settings in
      fast(&settings)
      settings.events.most = 2
    } _: { service, _, tokens in
      let token = try token(tokens)
      let first = try await StreamClient.open(service, token)
      let second = try await StreamClient.open(service, token)
      #expect(try await service.ask(as: token, "/cdr/stream").status == 503)
      await first.close()
      #expect(
        await second.wait { _ in service.log.infos.contains { $0.contains("/cdr/stream\" 200") } }, "the end is in the log")
      let third = try await StreamClient.open(service, token)
      #expect(third.status == 200)
      await second.close()
      await third.close()
    }
  }

  @Test("says where a client has missed too much, and gives the newest")
  func gap() async throws {
    try await withService { settings in
      fast(&settings)
      settings.events.backlog = 20
    } _: { service, database, tokens in
      let token = try token(tokens)
      try database.addTenants(2)
      try database.write(50)
      let client = try await StreamClient.open(service, token, lastID: "10")
      #expect(await client.wait { $0.callLogs.last == 50 })
      #expect(client.events.first == StreamClient.Event(name: "gap", data: "{\"first_id\":31}", lastID: "10"))
      #expect(client.callLogs == Array(31...50))
      let other = try await StreamClient.open(service, token, lastID: "30")
      #expect(await other.wait { $0.callLogs.last == 50 })
      #expect(other.events.first?.name == "call_log")
      await client.close()
      await other.close()
    }
  }

  @Test("ends with the service, which does not wait for it")
  func ending() async throws {
    let database = try TestDatabase(.empty)
    try Migrator(database.admin).migrate(program: "tests")
    let tokens = try TokensOfTest()
    defer { tokens.remove() }
    let service = try await ServiceUnderTest.start(database.uri, tokens.authenticator) { $0.grace = .seconds(600) }
    let token = try token(tokens.file)
    var clients: [StreamClient] = []
    for _ in 0..<3 { clients.append(try await StreamClient.open(service, token)) }
    await service.stop()
    for client in clients { #expect(await client.wait { $0.isOver }) }
  }

  @Test("sends at once when it is woken")
  func wakes() async throws {
    let database = try TestDatabase(.empty)
    try Migrator(database.admin).migrate(program: "tests")
    try database.addTenants(2)
    let tokens = try TokensOfTest()
    defer { tokens.remove() }
    var settings = CallLogServiceSettings()
    (settings.port, settings.managementPort, settings.database.uri) = (0, nil, database.uri)
    settings.events.poll = .seconds(3600)
    let service = CallLogService(settings, authenticator: tokens.authenticator, debug: DebugSwitch(false), log: quiet)
    let (ports, told) = AsyncStream.makeStream(of: Int.self)
    let (stop, end) = AsyncStream.makeStream(of: Void.self)
    let task = Task { try await service.run(signals: [], until: stop) { told.yield($0) } }
    let port = try #require(await ports.first { _ in true })
    let client = try await StreamClient.open(port: port, try token(tokens.file))
    for id in 1...3 as ClosedRange<Int64> {
      // The looks soon after the last one are over, mostly.
      try await Task.sleep(for: .seconds(1))
      try database.write()
      service.wakeStreams()
      #expect(await client.wait { $0.callLogs.last == id })
    }
    end.finish()
    _ = await task.result
  }

  @Test("goes on after the database was away, and loses nothing")
  func away() async throws {
    let server = try PrivateServer(settings: ["fsync": "off"])
    defer { server.stop() }
    let tokens = try TokensOfTest()
    defer { tokens.remove() }
    var database = try TestDatabase(on: server)
    try Migrator(database.admin).migrate(program: "tests")
    try database.addTenants(2)
    let service = try await ServiceUnderTest.start(database.uri, tokens.authenticator, settings: fast)
    let client = try await StreamClient.open(service, try token(tokens.file))
    var expected: [Int64] = []
    for mode in [PrivateServer.StopMode.fast, .immediate] {
      expected += try database.write(3)
      try server.restart(mode: mode)
      database = try TestDatabase(on: server)
      expected += try database.write(3)
      let ids = expected
      #expect(await client.wait { Set($0.callLogs) == Set(ids) })
      #expect(!client.isOver)
    }
    await client.close()
    await service.stop()
  }

  @Test("holds nobody up where a client reads nothing, and cuts that one off")
  func slow() async throws {
    try await withService { settings in
      fast(&settings)
      settings.events.backlog = 2_000
    } _: { service, database, tokens in
      let token = try token(tokens)
      try database.addTenants(2)
      let slow = try Silent(port: service.port, "GET /1.0/cdr/stream HTTP/1.1\r\nHost: a\r\nX-Auth-Token: \(token)\r\n\r\n")
      defer { slow.close() }
      let client = try await StreamClient.open(service, token, "?call_status=unknown")
      #expect(await client.wait { _ in slow.hasAnswer })
      let long = "'\(String(repeating: "x", count: 255))'"
      let columns = ["source_name", "destination_name", "requested_name", "user_field", "requested_exten", "requested_context"]
      var count = 0
      // The end of the slow one's request is in the log when it was cut off.
      while !service.log.infos.contains(where: { $0.contains("/cdr/stream\" 200") }), count < 60_000 {
        count += try database.write(1000, columns.map { ($0, long) }).count
        let sent = count
        #expect(await client.wait { $0.callLogs.count >= sent })
      }
      #expect(count < 60_000 && client.callLogs.count == count && !client.isOver)
      await client.close()
    }
  }
}

/// A client that sends a request, and reads nothing of the answer.
private final class Silent: Sendable {
  private let socket: Int32

  init(port: Int, _ request: String) throws {
    socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var size: Int32 = 4096
    setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, 4)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard result == 0 else { throw JobError(.fault, "cannot connect") }
    _ = request.withCString { send(socket, $0, strlen($0), 0) }
  }

  /// Whether something of the answer is there to read.
  var hasAnswer: Bool {
    var byte: UInt8 = 0
    return recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) > 0
  }

  func close() { Foundation.close(socket) }
}
