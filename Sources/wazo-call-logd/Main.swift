import API
import ArgumentParser
import Authentication
import Dispatch
import Logging
import PostgreSQL
import Service
import ServiceLifecycle
import Settings
import Synchronization
import Terminal
import Values

/// The service. It accepts the command line of Wazo's daemon of the same name.
@main
struct Main: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wazo-call-logd",
    abstract: "Serves call logs by a search page and by Wazo's REST API.",
    usage: "wazo-call-logd [<options>]",
    discussion: """
      On a Wazo server the service reads Wazo's /etc/wazo-call-logd as it is, and wazo-auth says \
      who may ask. Elsewhere it reads /etc/wazo-call-logs/config.yml, and a file of tokens says \
      who may ask. `wazo-call-logs token create` makes tokens.

      The page is at http://127.0.0.1:9298/, the API at http://127.0.0.1:9298/1.0, metrics are at \
      http://127.0.0.1:9299/metrics. The service also makes call logs as calls end, unless Wazo's \
      configuration exists (setting follow). SIGTERM ends it: running answers end, new ones get 503.

      Examples:
        wazo-call-logd                        serve with the settings in /etc
        wazo-call-logd -d                     the same, with debug messages
        wazo-call-logd -u wazo-call-logd      the same, as that user
        curl -H "X-Auth-Token: $TOKEN" "http://127.0.0.1:9298/1.0/cdr?limit=5"
                                              the newest five call logs

      Exit codes:
        0    a signal ended the service
        64   the command line is wrong
        69   the database cannot be reached for --db-upgrade-on-startup
        70   a fault in the program
        75   another program uses the port
        77   a permission is missing
        78   the configuration is wrong, or tables are missing
      """,
    version: Program.version)

  @Option(
    name: [.customShort("c"), .customLong("config-file")],
    help: ArgumentHelp("The configuration in Wazo's form, in place of /etc/wazo-call-logd/config.yml.", valueName: "file"))
  var configFile: String?
  @Flag(name: [.customShort("d"), .customLong("debug")], help: "Log debug messages.")
  var debug = false
  @Option(
    name: [.customShort("l"), .customLong("log-level")],
    help: ArgumentHelp("The least severe messages that are logged: debug, info, warning, error or critical.", valueName: "level"))
  var logLevel: String?
  @Option(
    name: [.customShort("u"), .customLong("user")],
    help: ArgumentHelp("The user that the service becomes after it has read its settings.", valueName: "name"))
  var user: String?
  @Flag(name: .customLong("db-upgrade-on-startup"), help: "Create or update the tables first.")
  var upgradesDatabase = false
  @Option(name: .customLong("listen"), help: ArgumentHelp("The address of the API.", valueName: "address"))
  var listen: String?
  @Option(name: .customLong("port"), help: ArgumentHelp("The port of the API.", valueName: "number"))
  var port: Int?

  /// Serves on other threads while the first one waits. An asynchronous `run` would end the first
  /// thread: glibc does not change the user of a thread that ends, and its user is the one that the
  /// list of processes shows.
  func run() throws {
    let end = End()
    Task {
      do {
        try await serve()
        end.reach(nil)
      } catch {
        end.reach(error)
      }
    }
    guard let error = end.wait() else { return }
    let reported = error as? any ReportedError
    Program.say(reported.map { $0.report + ($0.remedy.map { "; " + $0 } ?? "") } ?? "\(error)")
    let isSetting = error is SettingsError
    throw ExitCode((reported?.exitReason ?? (isSetting ? .configuration : .fault)).rawValue)
  }

  /// The end of the service: its error, or nil if it has none.
  private final class End: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let error = Mutex<(any Error)?>(nil)

    func reach(_ error: (any Error)?) {
      self.error.withLock { $0 = error }
      semaphore.signal()
    }

    func wait() -> (any Error)? {
      semaphore.wait()
      return error.withLock { $0 }
    }
  }

  /// The options by their keys in configuration files.
  private var overrides: [String: String] {
    var overrides: [String: String] = [:]
    if debug { overrides["debug"] = "true" }
    overrides["log_level"] = logLevel
    overrides["user"] = user
    overrides["rest_api.listen"] = listen
    overrides["rest_api.port"] = port.map(String.init)
    return overrides
  }

  private func serve() async throws {
    let environment = Program.environment
    let settings = try await ServiceSettings.load(
      overrides: overrides, environment: environment, configFile: configFile)
    // The batch program's settings name the tenant of a plain Asterisk's calls.
    let batch = try await Settings.load(environment: environment, needsDatabase: false)
    let debug = DebugSwitch(settings.isDebugging)
    let log = ServiceLog.logger(settings.leastLogLevel, debug: debug)
    for warning in settings.warnings { log.warning("\(warning)") }
    if let user = settings.user { try Privileges.become(user) }
    let setup = Setup(settings, defaultTenant: batch.defaultTenant.flatMap { UUIDValue($0) }, log: log)
    let upgrades = upgradesDatabase || settings.upgradesDatabase
    try await BlockingThread.run("schema") {
      try Schema.prepare(setup.database, retention: setup.retention, upgrades: upgrades, log: log)
    }
    let (authenticator, work) = try setup.authenticator()
    log.notice("call logs are in \(setup.database.redacted)")
    let progress = FollowProgress()
    let service = CallLogService(
      try setup.service(cels: setup.cels(batch)), authenticator: authenticator, debug: debug, log: log,
      gauges: { progress.gauges + (work?.gauges ?? []) })
    let follow = try setup.follower(batch, progress) { service.wakeStreams() }
    do {
      let systemd = SystemdNotification(environment)
      let parts: [(any ServiceLifecycle.Service)?] = [work, follow, SystemdWork(systemd: systemd)]
      try await service.run(services: parts.compactMap(\.self)) { _ in systemd.ready() }
    } catch {
      await work?.shutdown()
      throw error
    }
    await work?.shutdown()
    log.notice("the service has ended")
  }
}
