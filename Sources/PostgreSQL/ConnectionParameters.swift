/// How to reach a database.
public struct ConnectionParameters: Sendable {
  /// A `postgresql://` URI or libpq's `keyword=value` string. SQLAlchemy's driver suffix (`postgresql+psycopg2://`) is
  /// accepted. nil leaves everything to libpq's environment variables, service files and defaults.
  public var uri: String?
  /// The name the server shows in `pg_stat_activity`, unless the URI or PGAPPNAME gives one.
  public var applicationName: String
  /// Seconds to wait for each address of the server to answer, unless the URI or PGCONNECT_TIMEOUT says otherwise.
  public var connectTimeout: Int
  /// Server settings of the session, such as `TimeZone` or `lock_timeout`.
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

  /// The URI for messages: what libpq understood of it, without any password. A string that cannot be read is not shown at
  /// all, for nobody knows which part of it is the password.
  public var redacted: String {
    guard uri != nil else { return "(libpq's environment and defaults)" }
    guard let options = try? parsedURI() else { return "(a connection string that cannot be read)" }
    return ConnectionString.show(options)
  }

  /// What the URI sets, by libpq's keywords.
  func parsedURI() throws(PostgreSQLError) -> [String: String] {
    guard let normalizedURI else { return [:] }
    return try ConnectionString.parse(normalizedURI)
  }

  /// The URI as libpq takes it.
  var normalizedURI: String? {
    guard let uri else { return nil }
    guard let colon = uri.range(of: "://") else { return uri }
    let scheme = uri[..<colon.lowerBound]
    guard scheme == "postgres" || scheme.hasPrefix("postgresql+") || scheme.hasPrefix("postgres+") else { return uri }
    return "postgresql" + uri[colon.lowerBound...]
  }
}

extension String {
  /// The first place of a text; the standard library has it only for collections of elements.
  fileprivate func range(of other: String) -> Range<Index>? {
    firstRange(of: other)
  }
}
