import TestSupport
import Testing
import Values

@testable import Exports

@Suite("The text of a mail")
struct MailTextTests {
  private func message(_ name: String, _ sender: String, _ recipient: String, _ subject: String, _ body: String) throws
    -> [String]
  {
    let message = try MailMessage(from: name, sender, to: recipient, subject: subject, body: body, id: "x", time: 1_772_438_403)
    return String(decoding: message.bytes, as: UTF8.self).components(separatedBy: "\r\n")
  }

  @Test("has the same lines in its head, whatever the texts are: no text adds one")
  func injection() throws {
    var random = Seeded()
    let names = ["Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
    let pieces = [
      "a", "\r\n", "\n", "\r", "\0", "Bcc: x@example.com", ": ", "ü", "😀", "=?", "\"", "\\", "\u{85}", "\u{2028}", " ", "\t", "@",
      ">",
    ]
    func text() -> String { (0..<random.below(6)).map { _ in random.pick(pieces) }.joined() }
    var made = 0
    for _ in 0..<3000 {
      let isAddress = random.oneIn(2)
      let texts = (text(), isAddress ? "a@b.example" : text(), isAddress ? "c@d.example" : text(), text(), text())
      guard let lines = try? message(texts.0, texts.1, texts.2, texts.3, texts.4) else { continue }
      made += 1
      let head = lines.prefix { !$0.isEmpty }
      let fields = head.filter { !$0.hasPrefix(" ") }.map { String($0.prefix { $0 != ":" }) }
      #expect(fields == names + ["Content-Transfer-Encoding"], "\(texts), \(random)")
      #expect(lines.allSatisfy { line in line.utf8.count <= 998 && !line.contains("\n") && !line.contains("\r") }, "\(random)")
      #expect(lines.allSatisfy { line in line.utf8.allSatisfy { $0 < 0x80 && $0 != 0 } }, "\(random)")
    }
    #expect(made > 200)
  }

  @Test("needs addresses that are some")
  func addresses() {
    for address in [
      "", "@", "a", "a@", "@b", "a b@c", "a@b>", "<a@b", "a@b\r\nDATA", "ä@b.example", "a,b@c",
      String(repeating: "a", count: 251) + "@b.c",
    ] {
      #expect(throws: MailMessage.Refusal.self) { try message("", address, "c@d.example", "", "") }
      #expect(throws: MailMessage.Refusal.self) { try message("", "c@d.example", address, "", "") }
    }
  }

  @Test("has its time as mails have it")
  func date() {
    #expect(MailMessage.date(1_772_438_403) == "Mon, 02 Mar 2026 08:00:03 +0000")
    #expect(MailMessage.date(0) == "Thu, 01 Jan 1970 00:00:00 +0000")
  }

  @Test("comes from a template that has known placeholders alone")
  func templates() throws {
    #expect(
      try MailTemplate("a {{link}} b {{ uuid }}}} {{\tfile_name }}").filled { "<\($0)>" } == "a <link> b <uuid>}} <fileName>")
    #expect(try MailTemplate("").filled { _ in "x" } == "")
    for text in ["{{", "{{ link", "{{ token }}", "{{}}", "{% if link %}", "{{ link | upper }}"] {
      #expect(throws: JobError.self) { try MailTemplate(text) }
    }
  }
}
