import Foundation
import Testing

@Suite("The service's tokens")
struct ServiceTokenTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  @Test("with neither Wazo nor a file of tokens the service makes a token, in a private file that the log names; it works")
  func first() throws {
    let database = try TestDatabase(.bare)
    let service = try RunningService(database.uri, ["--db-upgrade-on-startup", "-d"], folder: folder)
    let file = String(try #require(service.log.firstMatch(of: /a token that reads everything is in (\S+)\n/), "\(service.log)").1)
    #expect(file == folder.path + "/etc/first-token")
    for path in [file, RunningService.tokens(in: folder)] {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
      #expect(attributes[.ownerAccountID] as? UInt == UInt(geteuid()))
    }
    let token = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .newlines)
    #expect(token.utf8.count >= 32)
    #expect(try service.ask("/cdr", token: token).status == 200)
    #expect(try service.ask("/cdr", token: String(token.dropLast())).status == 401)
    #expect(try service.ask("/cdr").status == 401)
    // In the query, where Wazo's programs put it for downloads.
    #expect(try service.ask("/cdr?token=\(token)&format=csv").status == 200)
    let log = try service.stop().errors
    #expect(log.contains("/cdr"), "requests are logged")
    #expect(!log.contains(token.prefix(8)), "\(log)")

    // The next start keeps what there is.
    let again = try RunningService(database.uri, folder: folder)
    #expect(try again.ask("/cdr", token: token).status == 200)
    #expect(try !again.stop().errors.contains("first-token"))
  }

  @Test("a token is refused from the moment it is revoked, without a restart")
  func revoked() throws {
    let database = try TestDatabase(.bare)
    let token = try RunningService.makeToken(in: folder)
    let service = try RunningService(database.uri, ["--db-upgrade-on-startup"], folder: folder)
    #expect(try service.ask("/cdr", token: token).status == 200)
    expectSilence(try Program.run("token", "revoke", "test", "--file", RunningService.tokens(in: folder)))
    #expect(try service.ask("/cdr", token: token).status == 401)
    try service.stop()
  }
}
