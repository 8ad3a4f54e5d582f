/// How to reach a database: a URI or a keyword string of libpq, which may hold a password.
///
/// Every description, dump and reflection shows ``redacted``; only ``connectionString`` has the password.
public struct DatabaseURI: Sendable, Hashable {
  private let text: String

  /// Takes `postgresql://…` and `postgres://…`, also with the driver that SQLAlchemy writes (`postgresql+psycopg2://…`), and
  /// `host=… dbname=…`. nil when it is none of these.
  public init?(_ text: String) {
    if let scheme = Self.scheme(of: text) {
      let name = scheme.split(separator: "+", maxSplits: 1).first ?? ""
      guard name == "postgresql" || name == "postgres" else { return nil }
    } else {
      guard let string = KeywordString(text), !string.pairs.isEmpty else { return nil }
    }
    self.text = text
  }

  /// The text for libpq, with the password in it: not for print. A driver in the scheme is left out.
  public var connectionString: String {
    guard let scheme = Self.scheme(of: text), let plus = scheme.firstIndex(of: "+") else { return text }
    return String(text[..<plus] + text[scheme.endIndex...])
  }

  /// The text with `***` in place of passwords and other secrets, fit for messages.
  public var redacted: String { Self.redact(text) }

  /// What stands before `://`, where that can be a scheme at all.
  static func scheme(of text: String) -> Substring? {
    guard let end = text.firstIndex(of: ":"), text[end...].hasPrefix("://") else { return nil }
    let scheme = text[..<end]
    guard scheme.first?.isLetter == true, scheme.allSatisfy({ $0.isLetter || $0.isNumber || "+-._".contains($0) }) else {
      return nil
    }
    return scheme
  }
}

extension DatabaseURI: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The redacted text.
  public var description: String { redacted }
  /// The redacted text.
  public var debugDescription: String { redacted }
  /// The redacted text, so that `dump` has nothing else to show.
  public var customMirror: Mirror { Mirror(self, children: ["redacted": redacted], displayStyle: .struct) }
}
