import Foundation
import NIOCore
import Testing

@Suite("Served call logs")
struct ServedCallLogTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  @Test("GET /cdr shows after generate what export writes: the same call logs, with the same values")
  func exported() throws {
    let database = try TestDatabase(.wazo)
    expectSilence(try database.run())
    let token = try RunningService.makeToken(in: folder)
    let service = try RunningService(database.uri, folder: folder)
    var all = 0
    for status in ["", "&call_status=blocked"] {
      let (code, body) = try service.ask("/cdr?recurse=true&limit=0\(status)", token: token)
      #expect(code == 200)
      let list = try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any])
      let items = try #require(list["items"] as? [[String: Any]])
      let filter = status.isEmpty ? [] : ["--call-status", "blocked"]
      let exported = try database.start(["export", "--format", "jsonl", "--newest-first"] + filter).finish().objects()
      #expect(list["filtered"] as? Int == exported.count && items.count == exported.count)
      let byID = { (calls: [[String: Any]]) in
        Dictionary(uniqueKeysWithValues: calls.compactMap { call in (call["id"] as? Int).map { ($0, call) } })
      }
      let (served, written) = (byID(items), byID(exported))
      #expect(Set(served.keys) == Set(written.keys) && served.count == items.count)
      for (id, call) in served { #expect(call as NSDictionary == written[id].map { $0 as NSDictionary }, "call log \(id)") }
      #expect(list["total"] as? Int == (try database.count("call_logd_call_log")))
      all += items.count
    }
    #expect(try all == database.count("call_logd_call_log") && all > 200)
    try service.stop()
  }

  @Test("SIGTERM ends the service with 0, and a download that has begun ends well")
  func download() throws {
    let count = 40_000
    let database = try TestDatabase(.bare)
    expectSilence(try database.run("migrate"))
    // More than sockets hold, so that the service is still busy when it gets the signal.
    try database.psql(
      """
      INSERT INTO call_logd_tenant VALUES ('\(tenant)');
      INSERT INTO call_logd_call_log (date, date_end, tenant_uuid, source_name, source_exten, destination_exten, direction, conversation_id)
      SELECT '2026-03-02 10:00Z'::timestamptz + n * interval '1 s', '2026-03-02 10:00Z'::timestamptz + n * interval '1 s',
        '\(tenant)', repeat('long name ', 20), '1001', '1002', 'internal', '1772445600.' || n
      FROM generate_series(1, \(count)) n
      """)
    let token = try RunningService.makeToken(in: folder)
    // Beside many other tests the download may take longer than people would wait.
    let service = try RunningService(database.uri, folder: folder, environment: ["WAZO_CALL_LOGS_SERVICE_GRACE": "10min"])
    let download = try service.download("/cdr?recurse=true&limit=0", token: token)
    try wait("for the first bytes") { download.count > 0 }
    #expect(download.status == 200)
    service.send(SIGTERM)
    // From now on nobody gets an answer: the port is closed, or the service says that it ends.
    try wait("for a refusal") { (try? service.ask("/cdr?limit=1", token: token, within: .seconds(1)).status) != 200 }
    #expect(download.count < count * 500)
    let list = try #require(try JSONSerialization.jsonObject(with: download.finish()) as? [String: Any])
    #expect((list["items"] as? [Any])?.count == count && list["total"] as? Int == count)
    let outcome = try service.finish()
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.hasSuffix("the service has ended\n"))
  }
}
