/// Addresses of e-mail.
public enum EmailAddress {
  /// Whether a text is one that a mail can be sent to: words with dots between, `@`, and the name
  /// of a host with a dot in it, or `localhost`.
  ///
  /// Addresses in quotes and hosts by number are refused, although the standard has them: nobody
  /// uses them, and a text with spaces or line ends must not get into the head of a mail.
  public static func isOne(_ text: String) -> Bool {
    guard text.utf8.count <= 254, let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) else { return false }
    let name = text.utf8[..<at]
    let host = text.utf8[text.utf8.index(after: at)...]
    return isName(name) && isHost(host)
  }

  private static func isName(_ name: Substring.UTF8View) -> Bool {
    let words = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return name.count <= 64
      && words.allSatisfy { word in !word.isEmpty && word.allSatisfy { isAlphanumeric($0) || symbols.contains($0) } }
  }

  private static let symbols = Set("!#$%&'*+-/=?^_`{|}~".utf8)

  private static func isHost(_ host: Substring.UTF8View) -> Bool {
    if host.elementsEqual("localhost".utf8) { return true }
    let labels = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    let areLabels = labels.allSatisfy { label in
      (1...63).contains(label.count) && label.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
        && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
    }
    return labels.count > 1 && areLabels && (labels.last?.count ?? 0) > 1
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
  }
}
