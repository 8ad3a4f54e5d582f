import API
import Foundation
import ServiceSupport
import TestSupport
import Testing
import Values

@testable import Service

@Suite("Exports over HTTP", .fewAtOnce, .timeLimit(.minutes(5)))
struct ExportAnswerTests {
  /// The members of a zip file by Python's reader, which checks their checksums.
  private static func members(_ zip: [UInt8], _ audio: AudioOfTest) throws -> Set<String> {
    let path = try audio.put("elsewhere/\(UUID().uuidString).zip", zip)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = [
      "-c", "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nfor n in z.namelist(): print(z.read(n).decode())", path,
    ]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return Set(String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init))
  }

  @Test("An export is made, also if the service ends before, and whoever may see it downloads it")
  func whole() async throws {
    let audio = try AudioOfTest()
    try await withService { _, database, tokens in
      let headers = ["X-Auth-Token": try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])]
      let other = try tokens.create(
        name: "other", tenants: .some(own: uuid(1), others: []), accesses: ["call-logd.#"])
      func start() async throws -> ServiceUnderTest {
        let authenticator = tokens.authenticatorOfTest
        return try await ServiceUnderTest.start(database.uri, authenticator) {
          $0.site.recordingsDirectory = audio.folder
          $0.site.exportsDirectory = audio.root + "/exports"
        }
      }
      for number in 1...3 {
        _ = try audio.add(number, path: try audio.put("audio/\(number).wav", Array("audio of \(number)".utf8)), in: database)
      }
      for isStopped in [false, true] {
        var service = try await start()
        let body = Array("{\"cdr_ids\": [1, 3]}".utf8)
        let made = try await service.ask("POST", "/cdr/recordings/media/export?email=", headers, body: body)
        let retried =
          made.status == 202 ? made : try await service.ask("POST", "/cdr/recordings/media/export", headers, body: body)
        #expect(retried.status == 202, "\(retried.text)")
        guard case .string(let uuid)? = retried.json?["uuid"] else {
          Issue.record("no uuid in \(retried.text)")
          await service.stop()
          return
        }
        #expect(retried.headers["location"] == "/1.0/exports/\(uuid)")
        if isStopped {
          await service.stop()
          service = try await start()
        }
        var state: JSONValue?
        for _ in 0..<3000 where state != "finished" {
          state = try await service.ask("GET", "/exports/\(uuid)", headers).json?["status"]
          try await Task.sleep(for: .milliseconds(5))
        }
        #expect(state == "finished")
        let answer = try await service.ask("GET", "/exports/\(uuid)/download", headers)
        #expect(answer.status == 200 && answer.headers["content-type"] == "application/zip")
        #expect(try ExportAnswerTests.members(answer.body, audio) == ["audio of 1", "audio of 3"])
        for path in ["/exports/\(uuid)", "/exports/\(uuid)/download"] {
          #expect(try await service.ask(as: other, path).status == 404)
        }
        await service.stop()
      }
    }
  }
}
