import Authentication
import Files
import Foundation
import Service
import ServiceLifecycle
import Settings
import Values
import WazoAuth

extension Setup {
  /// Who says who may ask, and what runs beside the service for it.
  /// - Throws: ``JobError``
  func authenticator() throws -> (any Authenticator, AuthenticationWork?) {
    switch settings.authentication {
    case .wazo(let auth):
      let authenticator = try WazoAuthenticator(wazoAuth(auth), log: log)
      log.notice("wazo-auth at \(auth.host):\(auth.port) says who may ask")
      return (authenticator, AuthenticationWork(authenticator: authenticator))
    case .tokensFile(let path):
      let file = try tokens(path)
      log.notice("the tokens in \(file.path) say who may ask")
      return (TokensAuthenticator(file, master: master) { [log] in log.error("\($0.message)") }, nil)
    case .off:
      log.warning("nobody is asked for a token: every program of this machine sees everything")
      return (NoAuthenticator(tenant: master), nil)
    }
  }

  /// The tenant that sees all.
  private var master: UUIDValue {
    settings.auth.masterTenant.flatMap { UUIDValue($0) } ?? defaultTenant ?? UUIDValue(high: 0, low: 0)
  }

  private func wazoAuth(_ auth: ServiceSettings.Auth) -> WazoAuthSettings {
    func credentials(_ name: String?, _ secret: Secret?) -> WazoAuthSettings.Credentials? {
      guard let name, let secret else { return nil }
      return WazoAuthSettings.Credentials(name: name, secret: secret.value)
    }
    let verification: WazoAuthSettings.Verification =
      switch auth.certificateCheck {
      case .system: .system
      case .off: .nobody
      case .file(let path): .authority(path)
      }
    return WazoAuthSettings(
      host: auth.host, port: auth.port, usesTLS: auth.usesHTTPS, prefix: auth.prefix, verification: verification,
      service: credentials(auth.username, auth.password),
      exports: credentials(settings.exports.serviceID, settings.exports.serviceKey), cacheSeconds: auth.cacheSeconds)
  }

  // MARK: The first token

  /// The file of tokens. Where there is none, a new one with one token that reads everything, which
  /// stands in a private file beside it.
  private func tokens(_ path: String) throws -> TokensFile {
    if FileManager.default.fileExists(atPath: path) { return TokensFile(path) }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    var refusal: JobError?
    for folder in [folder, stateFolder].compactMap(\.self) {
      let file = TokensFile(folder + "/tokens")
      if FileManager.default.fileExists(atPath: file.path) { return file }
      do throws(JobError) {
        let token = try file.create(name: "first", tenants: .all, accesses: [Setup.reading])
        try Setup.write(token, in: folder)
        log.notice("there was no file of tokens; a token that reads everything is in \(folder)/first-token")
        return file
      } catch {
        refusal = error
      }
    }
    throw refusal ?? JobError(.configuration, "there is no file of tokens \(path)")
  }

  /// Writes the first token to a file that only its owner can read.
  private static func write(_ token: String, in path: String) throws(JobError) {
    do throws(FileError) {
      let folder = try Folder.root(path, creates: false)
      try folder.remove("first-token.new")
      let file = try DurableFile("first-token", temporary: "first-token.new", in: folder, mode: 0o600, isSole: true)
      try file.write(token + "\n")
      try file.finish(.replacing)
    } catch {
      throw JobError(error.isRefusal ? .permission : .inputOutput, error.description)
    }
  }

  /// What a token may do that nobody has thought about: read.
  private static let reading = "call-logd.#.read"

  /// Where a service without rights to /etc keeps what it makes.
  private var stateFolder: String? {
    let environment = Program.environment
    if geteuid() == 0 { return "/var/lib/wazo-call-logs" }
    if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return state + "/wazo-call-logs" }
    return environment["HOME"].map { $0 + "/.local/state/wazo-call-logs" }
  }
}

/// Keeps the service's own token at wazo-auth.
struct AuthenticationWork: ServiceLifecycle.Service {
  let authenticator: WazoAuthenticator

  func run() async throws {
    await cancelWhenGracefulShutdown { await authenticator.run() }
  }

  func shutdown() async { await authenticator.shutdown() }

  /// What `/metrics` says of wazo-auth.
  var gauges: [ServiceGauge] {
    let counts = authenticator.counts
    return [
      ServiceGauge("auth_cache_hits_total", "Answers of wazo-auth that were remembered.", isCounter: true, Double(counts.hits)),
      ServiceGauge("auth_cache_misses_total", "Questions that wazo-auth had to answer.", isCounter: true, Double(counts.misses)),
      ServiceGauge("auth_requests_total", "Requests to wazo-auth.", isCounter: true, Double(counts.requests)),
      ServiceGauge("auth_failures_total", "Requests to wazo-auth that failed.", isCounter: true, Double(counts.failures)),
    ]
  }
}
