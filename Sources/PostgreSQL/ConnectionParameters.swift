/// The parameters of a connection.
public struct ConnectionParameters: Sendable {
  /// A `postgresql://` URI or libpq's `keyword=value` string. SQLAlchemy's form
  /// `postgresql+psycopg2://` is allowed. nil: libpq uses its environment variables, service files
  /// and defaults.
  public var uri: String?
  /// The name in `pg_stat_activity`, unless the URI or PGAPPNAME gives one.
  public var applicationName: String
  /// The time limit in seconds for each address of the server, unless the URI or PGCONNECT_TIMEOUT
  /// gives one.
  public var connectTimeout: Int
  /// The server settings of the session, such as `TimeZone` or `lock_timeout`.
  public var options: [String: String]

  /// Parameters with a time limit of 10 seconds for each address.
  public init(
    uri: String? = nil, applicationName: String = "wazo-call-logs", connectTimeout: Int = 10, options: [String: String] = [:]
  ) {
    self.uri = uri
    self.applicationName = applicationName
    self.connectTimeout = connectTimeout
    self.options = options
  }

  /// The URI as libpq reads it, without any password, for messages. An unreadable string is not
  /// shown at all, because any part of it may be the password.
  public var redacted: String {
    guard uri != nil else { return "(libpq's environment and defaults)" }
    guard let options = try? parsedURI() else { return "(a connection string that cannot be read)" }
    return ConnectionString.show(options)
  }

  /// The values in the URI, by libpq's keywords.
  /// - Throws: `PostgreSQLError` of kind `connection` for an unreadable URI
  func parsedURI() throws(PostgreSQLError) -> [String: String] {
    guard let normalizedURI else { return [:] }
    return try ConnectionString.parse(normalizedURI)
  }

  /// The URI in the form that libpq accepts.
  var normalizedURI: String? {
    guard let uri else { return nil }
    guard let colon = uri.range(of: "://") else { return uri }
    let scheme = uri[..<colon.lowerBound]
    guard scheme == "postgres" || scheme.hasPrefix("postgresql+") || scheme.hasPrefix("postgres+") else { return uri }
    return "postgresql" + uri[colon.lowerBound...]
  }
}

extension String {
  /// The first range of a text. The standard library has this only for collections of elements.
  fileprivate func range(of other: String) -> Range<Index>? {
    firstRange(of: other)
  }
}
