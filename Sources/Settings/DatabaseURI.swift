/// The address of a database: a URI or a keyword string of libpq. It may contain a password.
///
/// Descriptions, dumps and mirrors show ``redacted``. Only ``connectionString`` contains the
/// password.
/// Source: PostgreSQL documentation, libpq, "Connection Strings".
public struct DatabaseURI: Sendable, Hashable {
  private let text: String

  /// Accepts `postgresql://…` and `postgres://…`, also with a driver as SQLAlchemy writes it
  /// (`postgresql+psycopg2://…`), and `host=… dbname=…`. nil for any other text.
  public init?(_ text: String) {
    if let scheme = Self.scheme(of: text) {
      let name = scheme.split(separator: "+", maxSplits: 1).first ?? ""
      guard name == "postgresql" || name == "postgres" else { return nil }
    } else {
      guard let string = KeywordString(text), !string.pairs.isEmpty else { return nil }
    }
    self.text = text
  }

  /// The text for libpq, with the password and without SQLAlchemy's driver. Never print it.
  public var connectionString: String {
    guard let scheme = Self.scheme(of: text), let plus = scheme.firstIndex(of: "+") else { return text }
    return String(text[..<plus] + text[scheme.endIndex...])
  }

  /// The text with `***` in place of passwords and other secrets, for messages.
  public var redacted: String { Self.redact(text) }

  /// The text before `://`, if it can be the scheme of a URI.
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
  /// The redacted text, so that `dump` shows nothing else.
  public var customMirror: Mirror { Mirror(self, children: ["redacted": redacted], displayStyle: .struct) }
}
