import API
import Values

/// What the site needs to know beside its database.
public struct SiteSettings: Sendable {
  /// Which pages of other sites may use the API in a browser.
  public struct CrossOrigin: Sendable {
    /// Whether any may.
    public var isEnabled = true
    /// Headers that their requests may have.
    public var headers = ["Content-Type", "Range", "X-Auth-Token", "Wazo-Tenant"]
    /// Which sites, such as `https://pbx.example.com`; nil for every one.
    public var origins: [String]?

    /// Every site.
    public init() {}
  }

  /// What a request may cost.
  public struct Limits: Sendable {
    /// Bytes of a body.
    public var body = 1 << 20
    /// How long a body may take.
    public var request = Duration.seconds(30)
    /// Attempts with unknown tokens or wrong passwords in a minute: from one address, or for one
    /// name; 0 for no limit.
    public var refusedAttempts = 20

    /// The defaults.
    public init() {}
  }

  /// Which pages of other sites may use the API.
  public var crossOrigin = CrossOrigin()
  /// What a request may cost.
  public var limits = Limits()
  /// Addresses of proxies, whose headers `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
  public var trustedProxies = ["127.0.0.1", "::1"]
  /// The configuration without its secrets, for `GET /config`.
  public var configuration = JSONValue.object([])
  /// The folder of audio files.
  public var recordingsDirectory = "/var/lib/wazo/sounds/tenants"
  /// The folder of exports.
  public var exportsDirectory = "/var/lib/wazo-call-logd/exports"

  /// The defaults.
  public init() {}
}
