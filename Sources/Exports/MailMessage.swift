import Foundation

/// A mail as bytes (RFC 5322, MIME).
struct MailMessage {
  /// Why a mail cannot be made of these texts.
  struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  /// The sender's address alone.
  let sender: String
  /// The recipient's address alone.
  let recipient: String
  /// The whole mail, with CRLF at the end of each line.
  let bytes: [UInt8]

  /// Makes a mail.
  /// - Parameters:
  ///   - time: seconds since 1970
  ///   - id: the left part of the Message-ID
  /// - Throws: ``Refusal`` if a text for the head contains line ends or other controls, or an
  ///   address is not one. So no text can add a line to the head.
  init(
    from name: String, _ sender: String, to recipient: String, subject: String, body: String, id: String, time: Int
  ) throws(Refusal) {
    for (what, address) in [("sender's", sender), ("recipient's", recipient)] where !MailMessage.isAddress(address) {
      throw Refusal(description: "the \(what) address is not one")
    }
    for (what, text) in [("sender's name", name), ("subject", subject)]
    where text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
      throw Refusal(description: "the \(what) contains a line end or another control character")
    }
    (self.sender, self.recipient) = (sender, recipient)
    let domain = sender.split(separator: "@").last.map(String.init) ?? "localhost"
    let isPlain =
      body.utf8.allSatisfy { $0 < 0x80 && $0 != 0 } && body.split(whereSeparator: \.isNewline).allSatisfy { $0.utf8.count < 990 }
    var lines = [
      "Date: \(MailMessage.date(time))",
      "From: " + (name.isEmpty ? sender : "\(MailMessage.phrase(name)) <\(sender)>"),
      "To: \(recipient)",
      "Subject: \(MailMessage.encoded(subject))",
      "Message-ID: <\(id)@\(domain)>",
      // RFC 3834: vacation programs do not answer.
      "Auto-Submitted: auto-generated",
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: \(isPlain ? "7bit" : "base64")",
      "",
    ]
    if isPlain {
      lines += body.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
    } else {
      lines += MailMessage.pieces(of: Array(Data(body.utf8).base64EncodedData()), 76).map { String(decoding: $0, as: UTF8.self) }
    }
    bytes = Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
  }

  private static func isAddress(_ text: String) -> Bool {
    let bytes = text.utf8
    guard let at = bytes.lastIndex(of: UInt8(ascii: "@")), at != bytes.startIndex, bytes.index(after: at) != bytes.endIndex else {
      return false
    }
    return bytes.count <= 254 && bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"<>()[],;:\\\"".utf8.contains($0) }
  }

  /// A name for the head: a quoted text, or encoded words.
  private static func phrase(_ name: String) -> String {
    guard name.utf8.allSatisfy({ $0 < 0x80 }), name.utf8.count < 200 else { return encoded(name) }
    return "\"" + name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }

  /// A text for the head: itself, or encoded words (RFC 2047) of at most 75 characters.
  static func encoded(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 < 0x80 }), text.utf8.count < 900, text.firstRange(of: "=?") == nil { return text }
    var words: [String] = []
    var word: [UInt8] = []
    func end() {
      if !word.isEmpty { words.append("=?UTF-8?B?\(Data(word).base64EncodedString())?=") }
      word = []
    }
    // A word must not end inside a character.
    for scalar in text.unicodeScalars {
      let bytes = Array(String(scalar).utf8)
      if word.count + bytes.count > 42 { end() }
      word += bytes
    }
    end()
    return words.joined(separator: "\r\n ")
  }

  private static func pieces(of bytes: [UInt8], _ length: Int) -> [ArraySlice<UInt8>] {
    stride(from: 0, to: bytes.count, by: length).map { bytes[$0..<min($0 + length, bytes.count)] }
  }

  /// A time in UTC, such as `Mon, 02 Mar 2026 08:00:03 +0000`.
  static func date(_ time: Int) -> String {
    var (seconds, parts) = (time_t(time), tm())
    gmtime_r(&seconds, &parts)
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let day = "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900)"
    return "\(day) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) +0000"
  }
}
