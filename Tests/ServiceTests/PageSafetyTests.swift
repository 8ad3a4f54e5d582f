import API
import Foundation
import ServiceSupport
import TestSupport
import Testing
import Values

@testable import Service

@Suite("What callers and addresses cannot do to the page", .fewAtOnce, .timeLimit(.minutes(5)))
struct PageSafetyTests {
  private static let pieces = [
    "<img src=x onerror=alert(1)>", "</td><script>alert(1)</script>", "\" onfocus=alert(1) x=\"", "' onclick='alert(1)",
    "&lt;b&gt;",
    "<!--", "]]>", "{{7*7}}", "\u{202E}evil", "\r\nSet-Cookie: a=b", "é漢字", "<", ">", "&", "\"", "'", "`", "\\", "%3Cscript%3E",
    "javascript:alert(1)", "</title><svg onload=alert(1)>",
  ]

  private static func hostile(_ random: inout Seeded) -> String {
    (0...random.below(3)).map { _ in random.pick(pieces) }.joined()
  }

  /// The tags of a page, as a browser takes them, with their attributes' values left out.
  private static func skeleton(_ html: String) -> [String] {
    html.components(separatedBy: "<").dropFirst().map { piece in
      String(piece.prefix { $0 != ">" }).replacing(/="[^"]*"/, with: "=").replacing(/\s+/, with: " ")
    }
  }

  /// What a browser reads where text was written.
  private static func unescaped(_ text: String) -> String {
    text.replacing("&#13;", with: "\r").replacing("&#39;", with: "'").replacing("&quot;", with: "\"").replacing("&gt;", with: ">")
      .replacing("&lt;", with: "<").replacing("&amp;", with: "&")
  }

  @Test("Any text stays text: it makes no tag, closes no attribute, and is read as it was")
  func escaping() {
    var random = Seeded()
    let seed = random
    for _ in 0..<2000 {
      var text = PageSafetyTests.hostile(&random)
      if random.oneIn(2) {
        text += String(String.UnicodeScalarView((0..<8).compactMap { _ in Unicode.Scalar(UInt32(1 + random.below(0x2FF))) }))
      }
      let markup: Markup = "<a title=\"\(text)\">\(text)</a>"
      #expect(PageSafetyTests.skeleton(markup.text) == ["a title=", "/a"], "\(seed) \(text)")
      let escaped = Markup.escaped(text)
      #expect(PageSafetyTests.unescaped(escaped) == text, "\(seed) \(text)")
      #expect(!escaped.contains { "<>\"'\r".contains($0) }, "\(seed) \(text)")
    }
  }

  @Test("Pages of calls with hostile names have the tags that they have with harmless ones")
  func names() async throws {
    var random = Seeded()
    let seed = random
    try await withService { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      let page = try await PageOfTest.signedIn(service, token: token)
      let columns = ["source_name", "source_exten", "destination_name", "destination_exten", "requested_name", "requested_exten"]
      var made = 0
      func fill(_ make: () -> String) throws {
        // A name that is the number would be shown once.
        func quoted() -> String {
          made += 1
          return "'" + make().replacing("'", with: "''") + "\(made)'"
        }
        try database.run(
          "DELETE FROM call_logd_call_log; INSERT INTO call_logd_tenant VALUES ('\(uuid(0))') ON CONFLICT DO NOTHING")
        try database.run(
          """
          SET standard_conforming_strings = on;
          INSERT INTO call_logd_call_log (id, date, date_end, tenant_uuid, direction, \(columns.joined(separator: ", ")))
          VALUES (1, '2024-01-01Z', '2024-01-01Z', '\(uuid(0))', 'inbound', \(columns.map { _ in quoted() }.joined(separator: ", ")));
          INSERT INTO call_logd_call_log_participant (uuid, call_log_id, user_uuid, line_id, role, tags, answered)
          VALUES (gen_random_uuid(), 1, '\(uuid(5))', 1, 'source', ARRAY[\(quoted())], true);
          """)
      }
      try fill { "a" }
      let (list, call) = (try await page.get("/"), try await page.get("/calls/1"))
      #expect(list.rows == [1] && call.status == 200)
      for _ in 0..<25 {
        try fill { PageSafetyTests.hostile(&random) }
        for (path, plain) in [("/", list), ("/calls/1", call)] {
          let answer = try await page.get(path)
          #expect(PageSafetyTests.skeleton(answer.text) == PageSafetyTests.skeleton(plain.text), "\(seed) \(path)")
        }
      }
    }
  }

  @Test("Hostile addresses make no tags either")
  func addresses() async throws {
    var random = Seeded()
    let seed = random
    try await withService { service, _, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      let page = try await PageOfTest.signedIn(service, token: token)
      let stranger = PageOfTest(service: service)
      for _ in 0..<25 {
        let text = PageFilter.encoded(PageSafetyTests.hostile(&random))
        for name in PageFilter.names + ["open", "columns"] {
          for answer in [try await page.get("/?\(name)=\(text)"), try await stranger.get("/?\(name)=\(text)")] {
            let tags = Set(PageSafetyTests.skeleton(answer.text).map { $0.prefix { $0 != " " } })
            #expect(
              tags.isDisjoint(with: ["img", "svg", "b"]) && !answer.text.contains("alert(1)</script"), "\(seed) \(name)=\(text)")
            let isLoud = PageSafetyTests.skeleton(answer.text).contains { $0.contains(/\ on(focus|click|error|load)/) }
            #expect(!isLoud && answer.headers["set-cookie"] == nil, "\(seed) \(name)=\(text)")
          }
        }
      }
    }
  }

  @Test("Every answer beside the API's has the policy, lets no other site in, and is kept by nobody")
  func headers() async throws {
    try await withService { service, _, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      let page = try await PageOfTest.signedIn(service, token: token)
      let stranger = PageOfTest(service: service)
      let origin = ["Origin": "https://other.example"]
      var answers: [(String, Answer)] = []
      for path in [
        "/", "/?q=is:x", "/calls/1", "/calls/x", "/calls.csv", "/calls.csv?q=is:x", "/count", "/suggestions", "/nowhere",
        "/app.css", "/app.js", "/box.js", "/live.js", "/session", "/charts",
        "/charts?q=is:x", "/charts.css", "/charts.js", "/timeline.css",
        "//", "/1.0",
      ] {
        answers.append((path, try await page.get(path, origin)))
        answers.append((path, try await stranger.get(path, origin)))
      }
      answers.append(("sign in", try await stranger.signIn("unknown")))
      answers.append(("sign in", try await stranger.signIn(token)))
      answers.append(("sign out", try await page.post("/session/end")))
      for (path, answer) in answers {
        #expect(answer.headers["content-security-policy"] == PageFrame.policy, "\(path)")
        #expect(answer.headers["x-content-type-options"] == "nosniff" && answer.headers["referrer-policy"] == "no-referrer")
        #expect(answer.headers["access-control-allow-origin"] == nil, "\(path)")
        #expect(
          answer.headers["cache-control"] == (path.contains(/\.(css|js)$/) ? "no-cache" : "no-store"), "\(path) \(answer.status)")
        #expect(!answer.text.contains(" style=") && !answer.text.contains("<style"), "\(path)")
        for script in answer.text.components(separatedBy: "<script").dropFirst() {
          #expect(script.contains(/^ type="module" src="\.\/(app|charts)\.js"><\/script>/), "\(path)")
        }
      }
      #expect(!PageFrame.policy.contains("unsafe"))
    }
  }

  @Test("A file that the browser has is not sent again, and all files are small")
  func files() async throws {
    try await withService { service, _, _ in
      let page = PageOfTest(service: service)
      var size = 0
      for path in PageFile.all.map(\.path) {
        let answer = try await page.get(path)
        let tag = try #require(answer.headers["etag"])
        #expect(answer.status == 200 && !answer.body.isEmpty)
        size += answer.body.count
        for known in [tag, "W/" + tag, "\"a\", \(tag)", "*"] {
          let again = try await page.get(path, ["If-None-Match": known])
          #expect(again.status == 304 && again.body.isEmpty && again.headers["etag"] == tag)
        }
        #expect(try await page.get(path, ["If-None-Match": "\"other\""]).status == 200)
      }
      #expect(size < 70_000)
    }
  }

  @Test(
    "The language is the one that the browser likes best",
    arguments: [
      ("", "en"), ("fr", "fr"), ("fr-FR,fr;q=0.9,en;q=0.8", "fr"), ("en;q=0.8, fr;q=0.9", "fr"), ("de, fr;q=0.2, en;q=0.1", "fr"),
      ("de", "en"), ("fr;q=0, en", "en"), ("*;q=x,,;;", "en"),
    ])
  func language(accepted: String, language: String) {
    #expect(PageText.of(accepted: accepted).language == language)
  }
}
