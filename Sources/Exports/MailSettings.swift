import Values

/// How mails about exports are sent, and what they say.
public struct MailSettings: Sendable {
  /// The encryption of the connection to the mail server.
  public enum Security: Equatable, Sendable {
    /// No encryption.
    case none
    /// STARTTLS (RFC 3207). A server without it gets no mail.
    case startTLS(checksCertificate: Bool)
  }

  /// The mail server's name or address (`smtp.host`).
  public var host = "localhost"
  /// The mail server's port (`smtp.port`).
  public var port: UInt16 = 25
  /// The encryption (`smtp.starttls`).
  public var security = Security.none
  /// The name for the login (`smtp.username`); nil for no login.
  public var user: String?
  /// The password for the login (`smtp.password`). It is never logged.
  public var password: String?
  /// The sender's name (`email_export_from_name`).
  public var fromName = "Wazo"
  /// The sender's address (`email_export_from_address`).
  public var fromAddress = "no-reply@wazo.community"
  /// The subject (`email_export_subject`), with the placeholders of ``MailTemplate``.
  public var subject: MailTemplate
  /// The text, with the placeholders of ``MailTemplate``.
  public var body: MailTemplate
  /// The time limit for the connection, in seconds.
  public var connectSeconds = 5
  /// The time limit for everything, in seconds.
  public var totalSeconds = 30

  /// Settings with Wazo's defaults, and no encryption.
  public init(subject: MailTemplate = .subject, body: MailTemplate = .body) {
    (self.subject, self.body) = (subject, body)
  }
}

/// A text with placeholders, such as `{{ link }}`.
public struct MailTemplate: Equatable, Sendable {
  /// The placeholders. The raw value is the name between the braces.
  public enum Placeholder: String, CaseIterable, Sendable {
    /// The address of the download. It contains a token.
    case link
    /// The name of the file.
    case fileName = "file_name"
    /// The time of the request in UTC.
    case requestedAt = "requested_at"
    /// The uuid of the export.
    case uuid
  }

  private enum Piece: Equatable {
    case text(String)
    case placeholder(Placeholder)
  }

  private let pieces: [Piece]

  /// Reads a template.
  /// - Throws: ``JobError`` (`configuration`) for an unknown placeholder, and for other tags of
  ///   Jinja, which Wazo's templates may have
  public init(_ text: String) throws(JobError) {
    var pieces: [Piece] = []
    var rest = text[...]
    while let start = rest.firstRange(of: "{{") {
      guard let end = rest[start.upperBound...].firstRange(of: "}}") else {
        throw JobError(.configuration, "the template of the mail has {{ without }}")
      }
      let name = rest[start.upperBound..<end.lowerBound].trimmed
      guard let placeholder = Placeholder(rawValue: name) else {
        let known = Placeholder.allCases.map(\.rawValue).joined(separator: ", ")
        throw JobError(.configuration, "the template of the mail has the unknown placeholder \"\(name)\"; it can have \(known)")
      }
      pieces += [.text(String(rest[..<start.lowerBound])), .placeholder(placeholder)]
      rest = rest[end.upperBound...]
    }
    guard !text.contains("{%") else {
      throw JobError(.configuration, "the template of the mail has {%, which this program does not know; it can have {{ link }}")
    }
    self.pieces = pieces + [.text(String(rest))]
  }

  private init(pieces: [Piece]) { self.pieces = pieces }

  /// The subject where none is set: that of Wazo.
  public static let subject = MailTemplate(pieces: [.text("Your export is ready")])

  /// The text where none is set.
  public static let body = MailTemplate(pieces: [
    .text("Hello,\n\nthe recordings that you asked for on "), .placeholder(.requestedAt),
    .text(" are ready. Download them here:\n\n"), .placeholder(.link),
    .text("\n\nAnyone who has this link can download the recordings until it expires.\n"),
  ])

  /// The text with values in place of the placeholders.
  func filled(_ value: (Placeholder) -> String) -> String {
    pieces.map { piece in
      switch piece {
      case .text(let text): text
      case .placeholder(let placeholder): value(placeholder)
      }
    }.joined()
  }
}

extension Substring {
  fileprivate var trimmed: String {
    var text = drop { $0.isWhitespace }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
