import Foundation
import ServiceSupport
import TestSupport
import Testing
import Values

@testable import Service

/// Folders of audio and of exports, with call logs that name what is in them.
final class AudioOfTest: Sendable {
  let root = FileManager.default.temporaryDirectory.appendingPathComponent("audio-\(UUID().uuidString)").path
  var folder: String { root + "/audio" }

  init() throws {
    for name in ["audio", "elsewhere", "exports"] {
      try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
    }
    try Data("nobody's".utf8).write(to: URL(fileURLWithPath: folder + "/other.wav"))
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  func has(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  func put(_ name: String, _ content: [UInt8]) throws -> String {
    let path = "\(root)/\(name)"
    try Data(content).write(to: URL(fileURLWithPath: path))
    return path
  }

  /// Adds a call log with a recording of that number, and gives the path of its audio in the API.
  func add(_ number: Int, path: String, in database: TestDatabase) throws -> String {
    try database.run(
      """
      INSERT INTO call_logd_tenant VALUES ('\(uuid(0))') ON CONFLICT DO NOTHING;
      INSERT INTO call_logd_call_log (id, date, tenant_uuid) VALUES (\(number), '2024-01-01Z', '\(uuid(0))');
      INSERT INTO call_logd_recording (uuid, start_time, end_time, path, call_log_id)
      VALUES ('\(uuid(number))', '2024-01-01Z', '2024-01-01Z', '\(path)', \(number));
      """)
    return "/cdr/\(number)/recordings/\(uuid(number))/media"
  }

  func with(_ body: (ServiceUnderTest, TestDatabase, [String: String]) async throws -> Void) async throws {
    try await withService(settings: { [self] in
      $0.site.recordingsDirectory = folder
      $0.site.exportsDirectory = root + "/exports"
    }) { service, database, tokens in
      try await body(
        service, database, ["X-Auth-Token": try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])])
    }
  }
}

@Suite("Audio over HTTP", .fewAtOnce, .timeLimit(.minutes(5)))
struct MediaTests {
  @Test("Any range is that slice of the file, and conditions are followed")
  func ranges() async throws {
    var random = Seeded()
    let audio = try AudioOfTest()
    try await audio.with { service, database, headers in
      for (number, length) in [0, 1, 5000, 300_000].enumerated() {
        let content = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let path = try audio.add(number + 1, path: try audio.put("audio/\(number).wav", content), in: database)
        let whole = try await service.ask("GET", path, headers)
        #expect(whole.status == 200 && whole.body == content && whole.headers["content-length"] == String(length))
        let tag = try #require(whole.headers["etag"])
        for _ in 0..<8 {
          let first = random.below(length + 10)
          let last = first + random.below(length + 10)
          let range = random.pick(["bytes=\(first)-\(last)", "bytes=\(first)-", "bytes=-\(first)"])
          let start = range.hasPrefix("bytes=-") ? max(0, length - first) : first
          let end = range.hasSuffix("-\(last)") && !range.hasPrefix("bytes=-") ? min(last + 1, length) : length
          let answer = try await service.ask("GET", path, headers.merging(["Range": range]) { $1 })
          if start < end {
            #expect(answer.status == 206 && answer.body == Array(content[start..<end]), "\(range) of \(length); \(random)")
            #expect(answer.headers["content-range"] == "bytes \(start)-\(end - 1)/\(length)")
          } else {
            #expect(answer.status == 416 && answer.headers["content-range"] == "bytes */\(length)", "\(range) of \(length)")
          }
          let head = try await service.ask("HEAD", path, headers.merging(["Range": range]) { $1 })
          #expect(head.status == answer.status && head.headers["content-range"] == answer.headers["content-range"])
          let stale = try await service.ask("GET", path, headers.merging(["Range": range, "If-Range": "\"old\""]) { $1 })
          #expect(stale.status == 200 && stale.body == content)
          let fresh = try await service.ask("GET", path, headers.merging(["Range": range, "If-Range": tag]) { $1 })
          #expect(fresh.status == answer.status && fresh.body.count == answer.body.count || answer.status == 416)
        }
        for known in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
          let answer = try await service.ask("GET", path, headers.merging(["If-None-Match": known]) { $1 })
          #expect(answer.status == 304 && answer.body.isEmpty, "\(known)")
        }
        let since = try #require(whole.headers["last-modified"])
        #expect(try await service.ask("GET", path, headers.merging(["If-Modified-Since": since]) { $1 }).status == 304)
      }
    }
  }

  @Test("What is no file below the folder counts as missing")
  func outside() async throws {
    let audio = try AudioOfTest()
    try await audio.with { service, database, headers in
      let secret = try audio.put("elsewhere/secret.wav", Array("secret".utf8))
      let files = FileManager.default
      try files.createSymbolicLink(atPath: audio.folder + "/link.wav", withDestinationPath: secret)
      try files.createSymbolicLink(atPath: audio.folder + "/folder", withDestinationPath: audio.root + "/elsewhere")
      mkfifo(audio.folder + "/fifo.wav", 0o600)
      try files.createDirectory(atPath: audio.folder + "/directory.wav", withIntermediateDirectories: true)
      let paths = [
        secret, audio.folder + "/link.wav", audio.folder + "/folder/secret.wav", audio.folder + "/../elsewhere/secret.wav",
        audio.folder + "/fifo.wav", audio.folder + "/directory.wav", audio.folder + "/gone.wav", audio.folder, "/etc/passwd",
        "other.wav/../../elsewhere/secret.wav", "",
      ]
      for (number, path) in paths.enumerated() {
        let media = try audio.add(number + 1, path: path, in: database)
        let answer = try await service.ask("GET", media, headers)
        #expect(answer.errorID == "recording-media-filesystem-not-found", "\(path): \(answer.status) \(answer.text)")
        #expect(answer.status == 500 && !answer.text.contains("root:"))
      }
      #expect(audio.has(secret))
    }
  }

  @Test("A deletion removes the file and then the path, and nothing of others")
  func deletion() async throws {
    let audio = try AudioOfTest()
    try await audio.with { service, database, headers in
      var files: [String] = []
      var media: [String] = []
      for number in 1...5 {
        files.append(try audio.put("audio/\(number).wav", Array("12345".utf8)))
        media.append(try audio.add(number, path: files[number - 1], in: database))
      }
      func left() throws -> [String] { try database.rows("path FROM call_logd_recording WHERE path IS NOT NULL ORDER BY path") }
      #expect(try await service.ask("DELETE", media[0], headers).status == 204)
      #expect(!audio.has(files[0]))
      #expect(try left() == Array(files[1...]))
      #expect(try await service.ask("GET", media[0], headers).errorID == "recording-media-not-found")
      #expect(try await service.ask("DELETE", media[0], headers).status == 204)
      let many = "/cdr/recordings/media"
      #expect(try await service.ask("DELETE", many, headers, body: Array("{\"cdr_ids\": [2, 99]}".utf8)).status == 404)
      #expect(files[1...].allSatisfy { audio.has($0) })
      #expect(try left() == Array(files[1...]))
      #expect(try await service.ask("DELETE", many, headers, body: Array("{\"cdr_ids\": [2, 3]}".utf8)).status == 204)
      #expect(files.map { audio.has($0) } == [false, false, false, true, true])
      #expect(try left() == Array(files[3...]))
      let other = try await service.ask("DELETE", media[3], ["X-Auth-Token": "unknown"])
      #expect(other.status == 401 && audio.has(files[3]))
    }
  }
}
