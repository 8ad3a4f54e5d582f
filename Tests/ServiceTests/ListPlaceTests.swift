import API
import Listing
import PostgreSQL
import ServiceSupport
import Store
import TestSupport
import Testing
import Values

@testable import Service

@Suite("Lists that go on from a place, and their counts, over HTTP", .fewAtOnce, .timeLimit(.minutes(5)))
struct ListPlaceTests {
  private func withCallLogs(
    _ count: Int, takesCounts: Bool = false, _ body: (ServiceUnderTest, TestDatabase, [String: String]) async throws -> Void
  ) async throws {
    var random = Seeded()
    try await withService(settings: { $0.takesCounts = takesCounts }) { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      try CallLogsOfTest.store(count, in: database, &random)
      try await body(service, database, ["X-Auth-Token": token])
    }
  }

  private func next(_ answer: Answer) -> String? {
    if case .string(let place)? = answer.json?["next"] { place } else { nil }
  }

  @Test("pages go on from place to place, in either direction, and are the list at once", arguments: ["asc", "desc"])
  func places(direction: String) async throws {
    try await withCallLogs(60) { service, _, headers in
      let filter = "recurse=true&call_direction=inbound&direction=\(direction)"
      let whole = try await service.ask("GET", "/cdr?\(filter)", headers)
      #expect(whole.json?["next"] == nil && whole.ids.count > 3)
      var (found, place, pages) = ([Int64](), "", 0)
      while pages < 70 {
        let page = try await service.ask("GET", "/cdr?\(filter)&limit=3&after=\(place)", headers)
        #expect(page.status == 200 && page.number("filtered") == whole.number("filtered"))
        found += page.ids
        pages += 1
        guard let next = next(page) else { break }
        place = next
      }
      #expect(found == whole.ids)
      let streamed = try await service.ask("GET", "/cdr?\(filter)&limit=0&after=", headers)
      #expect(streamed.ids == whole.ids && streamed.json?["next"] == .null)
    }
  }

  @Test("a place that is none, or in a list that is not sorted by the start, is refused")
  func badPlaces() async throws {
    try await withCallLogs(1) { service, _, headers in
      for query in ["after=x", "after=1", "after=1_2_3", "after=1_99999999999", "after=1_1&order=id", "count=some"] {
        let answer = try await service.ask("GET", "/cdr?\(query)", headers)
        #expect(answer.status == 400, "\(query)")
      }
    }
  }

  @Test("counts stop where the client says so, and are null where nobody counts", arguments: [false, true])
  func counts(takesCounts: Bool) async throws {
    try await withCallLogs(1, takesCounts: takesCounts) { service, database, headers in
      try database.run(
        """
        INSERT INTO call_logd_call_log (id, date, tenant_uuid, source_name)
        SELECT 1000 + n, '2024-01-02Z', '\(uuid(0))', CASE WHEN n < 1200 THEN 'Zoe' END FROM generate_series(1, 3000) n
        """)
      if takesCounts { try CallLogCounts.make(on: database.admin) }
      let number = try database.value("count(*) FROM call_logd_call_log WHERE tenant_uuid = '\(uuid(0))'")
      let all = try #require(Int64(number))
      let exact = try await service.ask("GET", "/cdr?search=zoe&limit=5&count=exact", headers)
      #expect(exact.number("total") == all && exact.number("filtered") == 1199)
      #expect(exact.json?["filtered_is_bounded"] == .flag(false))
      let bounded = try await service.ask("GET", "/cdr?search=zoe&limit=5&count=bounded", headers)
      #expect(bounded.number("filtered") == 1000 && bounded.json?["filtered_is_bounded"] == .flag(true))
      #expect(bounded.number("total") == (takesCounts ? all : 1000))
      let few = try await service.ask("GET", "/cdr?search=nobody&limit=5&count=bounded", headers)
      #expect(few.number("filtered") == 0 && few.json?["filtered_is_bounded"] == .flag(false))
      let none = try await service.ask("GET", "/cdr?search=zoe&limit=5&count=none", headers)
      #expect(none.ids == exact.ids && none.json?["total"] == .null && none.json?["filtered"] == .null)
      let streamed = try await service.ask("GET", "/cdr?search=zoe&limit=0&count=none", headers)
      #expect(streamed.ids.count == 1199 && streamed.json?["total"] == .null)
    }
  }

  @Test("the service makes the counts when it starts, and says so")
  func firstStart() async throws {
    try await withCallLogs(3, takesCounts: true) { service, database, _ in
      for _ in 0..<600 where !service.log.lines.contains(where: { $0.text.contains("counted by tenant and hour from now on") }) {
        try await Task.sleep(for: .milliseconds(50))
      }
      #expect(try CallLogCounts.compare(on: database.admin)?.wrong == 0)
      #expect(service.log.lines.contains { $0.text.contains("counted by tenant and hour from now on") })
    }
  }
}
