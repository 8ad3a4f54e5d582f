import Authentication
import Foundation
import ServiceSupport
import Store
import TestSupport
import Testing
import Values

@testable import Service

@Suite("The timeline on the page of a call", .fewAtOnce, .timeLimit(.minutes(5)))
struct PageTimelineTests {
  private static let linkedid = "1714989600.10"

  /// The page's tags without the values of their attributes.
  private static func skeleton(_ html: String) -> [String] {
    html.components(separatedBy: "<").dropFirst().map { piece in
      String(piece.prefix { $0 != ">" }).replacing(/="[^"]*"/, with: "=").replacing(/\s+/, with: " ")
    }
  }

  private func withCall(_ body: (ServiceUnderTest, TestDatabase, TokensFile, Int) async throws -> Void) async throws {
    let database = try TestDatabase(.wazo)
    try database.insert(CELRow.call(PageTimelineTests.linkedid))
    try Runner(database).generate()
    let id = try #require(Int(try database.value("min(id)::int8 FROM call_logd_call_log")))
    let tokens = try TokensOfTest()
    defer { tokens.remove() }
    let service = try await ServiceUnderTest.start(database.uri, tokens.authenticator)
    let result = await Result { () async throws in try await body(service, database, tokens.file, id) }
    await service.stop()
    try result.get()
  }

  @Test("has a lane for each channel, what happened in words, and why, in both languages")
  func whole() async throws {
    try await withCall { service, _, tokens, id in
      let page = try await PageOfTest.signedIn(
        service, token: try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"]))
      let answer = try await page.get("/calls/\(id)?zone=UTC")
      #expect(answer.status == 200)
      #expect(answer.text.components(separatedBy: "<div class=\"lane\">").count == 3)
      for text in [
        "class=\"segment talking\"", "class=\"segment ringing\"", "Ann (101) dials 102.", "Ann (101) talks with Ben.", "10:00:05",
        "The call was answered when", "it is internal", "1714989600.109",
      ] {
        #expect(answer.text.contains(text), "\(text)")
      }
      #expect(!answer.text.contains("class=\"state\""))
      let french = try await page.get("/calls/\(id)?zone=UTC", ["Accept-Language": "fr"])
      #expect(french.text.contains("compose le 102") && french.text.contains("Pourquoi le journal"))
    }
  }

  @Test("is left out for a token that may list calls and not see their events, and there for a user's own calls")
  func access() async throws {
    try await withCall { service, database, tokens, id in
      let lister = try await PageOfTest.signedIn(
        service, token: try tokens.create(name: "lister", tenants: .all, accesses: ["call-logd.cdr.read"]))
      let poor = try await lister.get("/calls/\(id)")
      #expect(poor.status == 200 && !poor.text.contains("class=\"timeline\"") && !poor.text.contains("PJSIP"))
      try database.run(
        """
        INSERT INTO call_logd_call_log_participant (uuid, call_log_id, user_uuid, role, tags)
        VALUES (gen_random_uuid(), \(id), '\(uuid(5))', 'source', '{}');
        """)
      let own = try #require(UUIDValue(defaultTenant))
      let user = try await PageOfTest.signedIn(
        service,
        token: try tokens.create(
          name: "user", tenants: .some(own: own, others: []), user: uuid(5), accesses: ["call-logd.users.me.cdr.read"]))
      let answer = try await user.get("/calls/\(id)")
      #expect(answer.text.contains("class=\"segment talking\"") && !answer.text.contains("bridge_id"))
    }
  }

  @Test("says that events were purged, that there is no table, or that it cannot be read now; the call is shown all the same")
  func states() async throws {
    try await withCall { service, database, tokens, id in
      let page = try await PageOfTest.signedIn(
        service, token: try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"]))
      try database.run(
        """
        DELETE FROM cel;
        INSERT INTO call_logd_archive (kind, month, part, folder, files, system, database, run_id, deletes, state)
        VALUES ('cel', '2024-05', 1, '/archive', '{}', 1, 1, 1, true, 'published')
        """)
      let purged = try await page.get("/calls/\(id)")
      #expect(purged.status == 200 && purged.text.contains("were purged") && purged.text.contains("2024-05"))
      try database.run("DROP TABLE cel")
      #expect(try await page.get("/calls/\(id)").text.contains("no table of channel events"))
    }
  }

  @Test("has ticks at round times of the page's zone, few enough to be read, wherever the call begins and however long it is")
  func ticks() throws {
    var random = Seeded()
    let seed = random
    let zones = [
      PageZone.utc, try #require(PageZone(named: "Asia/Kathmandu")), try #require(PageZone(named: "America/St_Johns")),
    ]
    for _ in 0..<2000 {
      let zone = random.pick(zones)
      let start = Int64.random(in: 600_000_000_000_000...900_000_000_000_000, using: &random)
      let length = Int64.random(
        in: 0...random.pick([2_000_000, 100_000_000, 90_000_000_000, 40_000_000_000_000]), using: &random)
      let scale = TimelineScale(start, start + length, zone: zone)
      #expect(scale.ticks.count <= 9 && (length < 2_000_000 || scale.ticks.count >= 1), "\(seed)")
      var last = 0.0
      for tick in scale.ticks {
        #expect(tick.place > last && tick.place <= 100, "\(seed)")
        last = tick.place
        let time = start + Int64((tick.place / 100 * Double(scale.end - start)).rounded())
        // What a tick says is what clocks show there, but where they are changed meanwhile.
        if zone.wallSeconds(start + length) - zone.wallSeconds(start) == (start + length) / 1_000_000 - start / 1_000_000,
          length < 3_600_000_000
        {
          #expect(zone.clockTime(time + 1000).hasPrefix(tick.label), "\(seed) \(start) \(length) \(tick)")
        }
      }
      #expect(scale.place(start - 1) == 0 && scale.place(scale.end + 1) == 100, "\(seed)")
    }
    for extreme in [Int64.min, .max] { _ = TimelineScale(extreme, extreme, zone: .utc) }
    _ = TimelineScale(.min / 2, .max / 2, zone: .utc)
  }

  @Test("has the same tags whatever callers and devices call themselves")
  func hostile() async throws {
    var random = Seeded()
    let seed = random
    let pieces = [
      "<img src=x onerror=alert(1)>", "\" onload=\"alert(1)", "</text></svg><script>", "'", "&lt;", "]]>", "\u{202E}x",
    ]
    try await withCall { service, database, tokens, id in
      let page = try await PageOfTest.signedIn(
        service, token: try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"]))
      let columns = ["cid_name", "cid_num", "exten", "context", "appname"]
      func fill(_ make: () -> String) throws {
        // A name that is the number would be shown once.
        let values = columns.map { "\($0) = '\(make().replacing("'", with: "''"))\($0)'" }.joined(separator: ", ")
        let channel = make().replacing("'", with: "''")
        try database.run(
          "UPDATE cel SET \(values), channame = '\(channel)' || CASE WHEN uniqueid = linkedid THEN '-1' ELSE '-2' END")
        try database.run("UPDATE cel SET appname = 'x' || appname WHERE eventtype = 'APP_START'")
      }
      try fill { "a" }
      let plain = try await page.get("/calls/\(id)")
      for _ in 0..<20 {
        try fill { (0...random.below(2)).map { _ in random.pick(pieces) }.joined() }
        let answer = try await page.get("/calls/\(id)")
        #expect(PageTimelineTests.skeleton(answer.text) == PageTimelineTests.skeleton(plain.text), "\(seed)")
      }
    }
  }
}
