import Exports
import Foundation
import TestSupport
import Testing
import Values

@Suite("The mail about an export", .enabled(if: MailServer.exists, "needs python3-aiosmtpd"))
struct MailTests {
  private func scene(_ port: UInt16, _ change: (inout MailSettings) throws -> Void = { _ in }) throws -> Scene {
    let scene = try Scene()
    var mail = MailSettings()
    (mail.host, mail.port) = ("127.0.0.1", port)
    try change(&mail)
    (scene.settings.mail, scene.settings.mailPauses) = (mail, [0, 0])
    return scene
  }

  @Test("brings the link to who asked, once, and nobody keeps the address")
  func sent() throws {
    let server = try MailServer()
    let scene = try scene(server.port)
    let uuid = try scene.simpleRequest(email: "ann@example.com")
    _ = try scene.simpleRequest()
    let outcome = try scene.steps().next()
    #expect(outcome.made == uuid && outcome.mailed == uuid)
    _ = try scene.steps().next()
    #expect(try scene.steps().next().isIdle)
    let mails = try server.mails()
    #expect(mails.count == 1)
    let mail = try #require(mails.first)
    #expect(mail.sender == "no-reply@wazo.community" && mail.recipients == ["ann@example.com"])
    #expect(mail.subject == "Your export is ready" && mail.from == "Wazo <no-reply@wazo.community>")
    #expect(mail.body.contains("https://pbx.example.com/1.0/exports/\(uuid)/download?token=secret-token"))
    #expect(try scene.database.rows("mail, email FROM call_logd_export_request ORDER BY mail") == ["none|∅", "sent|∅"])
    #expect(!scene.recorder.lines.contains { $0.text.contains("secret-token") || $0.text.contains("ann@") })
  }

  @Test("says what the settings say, in any language")
  func languages() throws {
    let server = try MailServer()
    let name = "Töchter & Söhne, \"Wazo\""
    let subject = "Export {{ file_name }} ist fertig – ‏תודה 🎧 " + String(repeating: "ü", count: 100)
    let body = "Grüße\n.\n..{{link}}\n\(String(repeating: "é", count: 2000))\n{{uuid}} {{ requested_at }}\n"
    let scene = try scene(server.port) { mail in
      mail.fromName = name
      (mail.subject, mail.body) = (try MailTemplate(subject), try MailTemplate(body))
    }
    let uuid = try scene.simpleRequest(email: "ann@example.com")
    #expect(try scene.steps(link: { "\($0.export.uuid)" }).next().mailed == uuid)
    let export = try scene.read(uuid)
    let mail = try #require(try server.mails().first)
    #expect(mail.subject == subject.replacing("{{ file_name }}", with: export.fileName))
    #expect(mail.from.contains("Töchter & Söhne"))
    let time = TimestampText.text(export.requestedAt)
    #expect(
      mail.body.replacing("\r\n", with: "\n")
        == body.replacing("{{link}}", with: "\(uuid)").replacing("{{uuid}} {{ requested_at }}", with: "\(uuid) \(time)"))
  }

  @Test("that cannot be sent leaves the export finished; it is tried again, and is sent when the server is back")
  func away() throws {
    let port = try MailServer.freePort()
    let scene = try scene(port)
    let uuid = try scene.simpleRequest(email: "ann@example.com")
    let outcome = try scene.steps().next()
    #expect(outcome.made == uuid && outcome.mailFailed == uuid)
    #expect(try scene.read(uuid).status == .finished)
    let server = try MailServer(port: port)
    #expect(try scene.steps().next().mailed == uuid)
    #expect(try server.mails().count == 1 && scene.recorder.warnings.count == 1)
  }

  @Test(
    "is given up after the pauses, and the log says so without secrets",
    arguments: [MailServer.Kind.refusing, .silent, .login, .tls])
  func givenUp(kind: MailServer.Kind) throws {
    let server = try MailServer(kind)
    let scene = try scene(server.port) { mail in
      mail.totalSeconds = kind == .silent ? 1 : 30
      if kind == .login { (mail.user, mail.password) = ("ann", "wrong-password") }
      if kind == .tls { mail.security = .startTLS(checksCertificate: true) }
    }
    let uuid = try scene.simpleRequest(email: "ann@example.com")
    for _ in 0..<3 { #expect(try scene.steps().next().mailFailed == uuid) }
    #expect(try scene.steps().next().isIdle)
    #expect(try server.mails().isEmpty && scene.read(uuid).status == .finished)
    #expect(try scene.database.value("mail, email, mail_tries FROM call_logd_export_request") == "failed|∅|3")
    #expect(scene.recorder.lines.count { $0.level == .error && $0.text.contains("gives it up") } == 1)
    #expect(!scene.recorder.lines.contains { $0.text.contains("secret-token") || $0.text.contains("wrong-password") })
  }

  @Test("goes to a server that wants a login, or TLS", arguments: [MailServer.Kind.login, .tls])
  func secured(kind: MailServer.Kind) throws {
    let server = try MailServer(kind)
    let scene = try scene(server.port) { mail in
      if kind == .login { (mail.user, mail.password) = ("ann", "right") }
      if kind == .tls { mail.security = .startTLS(checksCertificate: false) }
    }
    let uuid = try scene.simpleRequest(email: "ann@example.com")
    #expect(try scene.steps().next().mailed == uuid)
    #expect(try server.mails().count == 1)
  }

  @Test("is not sent in the clear to a server without TLS, if TLS is set")
  func noTLS() throws {
    let server = try MailServer()
    let scene = try scene(server.port) { $0.security = .startTLS(checksCertificate: false) }
    let uuid = try scene.simpleRequest(email: "ann@example.com")
    #expect(try scene.steps().next().mailFailed == uuid)
    #expect(try server.mails().isEmpty)
  }

  private struct Fault: Error {}

  @Test("is still sent after a kill between the file and the mail; after one behind the mail, it comes twice rather than never")
  func faults() throws {
    let server = try MailServer()
    for (moment, count) in [(ExportSteps.Moment.finished, 1), (.mailSent, 3)] {
      let scene = try scene(server.port)
      let uuid = try scene.simpleRequest(email: "ann@example.com")
      let connection = try scene.database.connect()
      let session = try #require(try connection.query("SELECT pg_backend_pid()::int8", purpose: "Asking who it is").int64(0, 0))
      let steps = scene.steps(on: connection) {
        guard $0 == moment else { return }
        connection.close()
        throw Fault()
      }
      #expect(throws: (any Error).self) { try steps.next() }
      // It keeps the export from others until the server has noticed its end.
      try waitUntil("the killed session has ended") {
        try scene.database.value("count(*) FROM pg_stat_activity WHERE pid = \(session)") == "0"
      }
      #expect(try scene.steps().next().mailed == uuid)
      #expect(try server.mails().count == count)
    }
  }

  @Test("is put off when its link cannot be had")
  func link() throws {
    let server = try MailServer()
    let scene = try scene(server.port)
    let uuid = try scene.simpleRequest(email: "ann@example.com")
    #expect(try scene.steps(link: { _ in throw Fault() }).next().mailFailed == uuid)
    #expect(try scene.steps().next().mailed == uuid)
  }
}
