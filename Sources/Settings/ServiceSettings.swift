/// The settings of the service wazo-call-logd. ``sources`` holds the origin of each value.
/// `ServiceSettings.load` finds them.
///
/// The keys are those of Wazo's wazo-call-logd, and further ones under `service`. No description of
/// this type shows a password.
public struct ServiceSettings: Sendable {
  /// The REST API's address, certificate and CORS: `rest_api`.
  public var restAPI = RestAPI()
  /// wazo-auth: `auth`. It is complete also where ``authentication`` is another.
  public var auth = Auth()
  /// Exports of recordings: `exports` and `email_export_…`.
  public var exports = Exports()
  /// The mail server: `smtp`.
  public var mailServer = MailServer()
  /// For how many days rows and files are kept: `retention`.
  public var retention = Retention()
  /// Limits and connections: `service`.
  public var limits = Limits()
  /// The database that has the call logs. nil: libpq finds it by its own variables (`PGHOST`,
  /// `PGSERVICE`, …).
  public var dbURI: DatabaseURI?
  /// The database that has the CELs. The default is ``dbURI``.
  public var celDBURI: DatabaseURI?
  /// The folder of audio files: an absolute path below the root. The service opens and removes no
  /// audio file elsewhere.
  public var recordingsDirectory = "/var/lib/wazo/sounds/tenants"
  /// The UUID of the Wazo server, in lower case.
  public var uuid: String?
  /// The user that the service becomes after the start. nil: the user that started it.
  public var user: String?
  /// Whether `debug` is set, which shows all messages.
  public var isDebugging = false
  /// Whether the service changes the schema of an older database at the start.
  public var upgradesDatabase = false
  /// Whether lists take their numbers from the counts of call logs by tenant and hour.
  public var counts = CountsChoice.automatic
  /// The file of tokens, for a plain Asterisk.
  public var tokensFile = "/etc/wazo-call-logs/tokens"

  /// The whole configuration after merging, without secrets, for `GET /1.0/config`. Keys that the
  /// service does not know are kept.
  public internal(set) var effective = SettingsValue.null
  /// The source of each value by its dotted path: a file with its line, `environment variable …`,
  /// `option …` or `default`.
  public internal(set) var sources: [String: String] = [:]
  /// Conditions that an administrator may want to know: unknown keys of the program's own files,
  /// and key files that cannot be read.
  public internal(set) var warnings: [String] = []

  var choice = AuthenticationChoice.automatic
  /// Whether a source has the key `auth`.
  var hasAuth = false
  var leastLevel = LogLevel.info

  /// The defaults, without a database.
  public init() {}

  /// The least severe messages shown: all where `debug` is set.
  public var logLevel: LogLevel { isDebugging ? .debug : leastLevel }

  /// Who knows the tokens. With `authentication: auto` wazo-auth does if any source has the key
  /// `auth`, as each Wazo server's configuration has. Otherwise the tokens file does.
  public var authentication: Authentication {
    switch choice {
    case .automatic: hasAuth ? .wazo(auth) : .tokensFile(path: tokensFile)
    case .wazo: .wazo(auth)
    case .tokens: .tokensFile(path: tokensFile)
    case .off: .off
    }
  }
}

/// The values of `counts`.
public enum CountsChoice: String, CaseIterable, Sendable {
  /// The service makes counts where it may, and uses those that there are.
  case automatic = "auto"
  /// The same, and it warns where there are none.
  case on
  /// Each list counts its call logs.
  case off
}

/// The values of `authentication`.
enum AuthenticationChoice: String, CaseIterable {
  case automatic = "auto"
  case wazo
  case tokens
  case off = "none"
}

extension ServiceSettings {
  /// Who knows the tokens of requests.
  public enum Authentication: Sendable, Equatable {
    /// wazo-auth.
    case wazo(Auth)
    /// A file of tokens.
    case tokensFile(path: String)
    /// Nobody: every request may do everything. The API then listens on loopback only.
    case off
  }

  /// An address to listen on.
  public struct Address: Sendable, Equatable {
    /// An IP address or a name of the machine.
    public var host: String
    /// The port; 0 for any free one.
    public var port: Int

    /// That address.
    public init(host: String, port: Int) { (self.host, self.port) = (host, port) }

    /// Whether only programs of this machine reach the address: 127.0.0.0/8, ::1 or `localhost`.
    public var isLoopback: Bool {
      if host == "localhost" || host == "::1" || host == "[::1]" { return true }
      let parts = host.split(separator: ".", omittingEmptySubsequences: false)
      return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil && $0.first != "+" }
    }
  }

  /// The REST API: `rest_api`.
  public struct RestAPI: Sendable, Equatable {
    /// Where it listens.
    public var address = Address(host: "127.0.0.1", port: 9298)
    /// The certificate's file in PEM. nil: no TLS.
    public var certificate: String?
    /// The private key's file in PEM. It is set if, and only if, ``certificate`` is.
    public var privateKey: String?
    /// Requests from pages of other sites.
    public var cors = CORS()
  }

  /// Requests from pages of other sites: `rest_api.cors`, as Flask-CORS names the keys.
  public struct CORS: Sendable, Equatable {
    /// Whether they are allowed.
    public var isEnabled = true
    /// The origins that may ask, such as `https://ui.example.com`; `*` for any.
    public var origins = ["*"]
    /// The headers that such requests may have; `*` for any.
    public var allowHeaders = ["Content-Type", "X-Auth-Token", "Wazo-Tenant", "Range"]
  }

  /// wazo-auth: `auth`.
  public struct Auth: Sendable, Equatable {
    /// Its name or address.
    public var host = "localhost"
    /// Its port.
    public var port = 9497
    /// Whether it is asked by HTTPS.
    public var usesHTTPS = false
    /// How its certificate is checked.
    public var certificateCheck = CertificateCheck.system
    /// The beginning of its paths, such as `/api/auth`, without a slash at the end.
    public var prefix: String?
    /// The service's name at wazo-auth: `username`, or the key file's `service_id`.
    public var username: String?
    /// The service's password at wazo-auth: `password`, or the key file's `service_key`.
    public var password: Secret?
    /// The file with `service_id` and `service_key`, which is read if a username or a password is
    /// missing.
    public var keyFile: String? = "/var/lib/wazo-auth-keys/wazo-call-logd-key.yml"
    /// How many seconds an answer of wazo-auth counts; 0: it is asked for every request.
    public var cacheSeconds = 30
    /// The master tenant, in lower case. nil: the tenant of the service's own token.
    public var masterTenant: String?
  }

  /// How the certificate of a server is checked.
  public enum CertificateCheck: Sendable, Equatable {
    /// By the system's certificate authorities.
    case system
    /// Not at all.
    case off
    /// By the certificate authorities in a PEM file.
    case file(path: String)
  }

  /// Exports of recordings: `exports` and `email_export_…`.
  public struct Exports: Sendable, Equatable {
    /// The folder of the files.
    public var directory = "/var/lib/wazo-call-logd/exports"
    /// The name at wazo-auth under which links in mails get their tokens: `service_id`.
    public var serviceID: String?
    /// The password of that name: `service_key`.
    public var serviceKey: Secret?
    /// The file with `service_id` and `service_key`, which is read if one is missing.
    public var keyFile: String? = "/var/lib/wazo-auth-keys/wazo-call-logd-export-key.yml"
    /// The sender's name in mails.
    public var fromName = "Wazo"
    /// The sender's address in mails.
    public var fromAddress = "no-reply@wazo.community"
    /// The subject of mails.
    public var subject = "Your export is ready"
    /// The file with the text of mails. nil: a text of the service's own.
    public var bodyTemplate: String?
    /// How many seconds the token of a link in a mail is valid.
    public var tokenExpiration = 172_800
  }

  /// The mail server: `smtp`.
  public struct MailServer: Sendable, Equatable {
    /// Its name or address.
    public var host = "localhost"
    /// Its port.
    public var port = 25
    /// Whether the connection is encrypted by STARTTLS.
    public var startTLS = false
    /// How many seconds it may take to answer.
    public var timeout = 10
    /// The user's name. nil: the service does not log in.
    public var username: String?
    /// The user's password.
    public var password: Secret?
  }

  /// For how many days rows and files are kept: `retention`. nil: the number stored in the
  /// database, which is 365, 2 and 365 at first.
  public struct Retention: Sendable, Equatable {
    /// Days of call logs: `cdr_days`.
    public var callLogDays: Int?
    /// Days of exports.
    public var exportDays: Int?
    /// Days of audio files.
    public var recordingDays: Int?
  }

  /// Limits and connections: `service`.
  public struct Limits: Sendable, Equatable {
    /// Connections to the database for lists, 1 to 64.
    public var listConnections = 4
    /// Connections to the database for what streams, 1 to 64.
    public var streamConnections = 2
    /// Connections to the database for counts, 1 to 64.
    public var countConnections = 1
    /// How many requests may wait for each kind of connection.
    public var queue = 64
    /// How long a request may wait for a connection.
    public var queueWait = Duration.seconds(5)
    /// How long the database may work on a list.
    public var listTimeout = Duration.seconds(5)
    /// How long the database may count.
    public var countTimeout = Duration.seconds(10)
    /// Connections of clients at the same time.
    public var maxConnections = 1_000
    /// Bytes of a request's line and headers.
    public var headerLimit = 16_384
    /// Bytes of a request's body.
    public var bodyLimit = 1_048_576
    /// How long a client may take to send a request.
    public var requestTimeout = Duration.seconds(30)
    /// How long a client of a stream may take nothing.
    public var streamIdle = Duration.seconds(60)
    /// How long a stream may last.
    public var streamLimit = Duration.seconds(3_600)
    /// How long running answers may take when the service ends.
    public var grace = Duration.seconds(30)
    /// Clients that get new call logs as they come, at the same time.
    public var eventStreams = 200
    /// Attempts with unknown tokens or wrong passwords that an address or a user's name has in a
    /// minute; 0: any number.
    public var refusedLimit = 20
    /// The addresses of proxies that are believed for whom they ask, and whether by HTTPS.
    public var trustedProxies = ["127.0.0.1", "::1"]
    /// Where `/metrics` and `/health` listen.
    public var management = Address(host: "127.0.0.1", port: 9299)
  }
}
