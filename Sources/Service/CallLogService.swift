import API
import Authentication
import Exports
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Lanes
import Logging
import NIOCore
import NIOSSL
import PostgreSQL
import ServiceLifecycle
import UnixSignals
import Values

/// How the service listens, and what it works with.
public struct CallLogServiceSettings: Sendable {
  /// The address of the API, such as `127.0.0.1`.
  public var listen = "127.0.0.1"
  /// Its port; 0 for any free one.
  public var port = 9298
  /// Files of a certificate chain and its key in PEM; nil to speak no TLS.
  public var certificate: (chain: String, key: String)?
  /// The address of metrics and health.
  public var managementListen = "127.0.0.1"
  /// Its port; nil for none.
  public var managementPort: Int? = 9299
  /// The database of call logs.
  public var database = ConnectionParameters(applicationName: "wazo-call-logd")
  /// The table of CELs; nil where the service shows no events of calls.
  public var cels: CELTableSettings?
  /// Connections for lists, counts and streams.
  public var connections = (lists: 4, counts: 1, streams: 2)
  /// How much work waits for a connection of a kind, and how long.
  public var queue = (length: 64, wait: Duration.seconds(5))
  /// How long a statement may take.
  public var timeouts = (list: Duration.seconds(5), count: Duration.seconds(10))
  /// How long the reader of a stream may take nothing, and how long a stream may last.
  public var streams = (idle: Duration.seconds(60), limit: Duration.seconds(3600))
  /// How new call logs are streamed.
  public var events = EventSettings()
  /// Connections of clients.
  public var mostConnections = 1000
  /// Bytes of the headers of a request.
  public var headerLimit = 16 << 10
  /// Whether counts of call logs by tenant and hour are kept, where the service may make them, and
  /// used.
  public var takesCounts = true
  /// Whether somebody wants to know if they cannot be kept.
  public var needsCounts = false
  /// What the site needs to know.
  public var site = SiteSettings()
  /// How mails about exports are sent; nil for no mails.
  public var mail: MailSettings?
  /// Seconds for which the token in such a mail is valid.
  public var exportTokenSeconds = 172_800
  /// Whether a mail without a token is of no use.
  public var mailNeedsToken = false
  /// How long running answers may take when the service ends.
  public var grace = Duration.seconds(30)

  /// The defaults.
  public init() {}
}

/// The service: Wazo's REST API, metrics, and what runs beside them.
public struct CallLogService: Sendable {
  private let settings: CallLogServiceSettings
  private let authenticator: any Authenticator
  private let debug: DebugSwitch
  private let log: Logger
  private let waker = Waker()
  private let gauges: @Sendable () -> [ServiceGauge]

  /// A service of these.
  /// - Parameters:
  ///   - debug: what `PATCH /config` switches
  ///   - gauges: what the program adds to the metrics
  public init(
    _ settings: CallLogServiceSettings, authenticator: any Authenticator, debug: DebugSwitch, log: Logger,
    gauges: @escaping @Sendable () -> [ServiceGauge] = { [] }
  ) {
    (self.settings, self.authenticator, self.debug, self.log) = (settings, authenticator, debug, log)
    self.gauges = gauges
  }

  /// Says that there are new call logs, so that streams send them at once. Without it they come
  /// after up to a second.
  public func wakeStreams() { waker.wake() }

  /// Serves until it shall end: a signal, or the cancelled task.
  /// - Parameters:
  ///   - signals: what ends it
  ///   - services: what runs beside it, and ends after it
  ///   - end: ends it when it ends, or gives something
  ///   - onListening: gets the ports of API and metrics when both listen
  /// - Throws: ``JobError``: an address that cannot be listened at, or a certificate that cannot be
  ///   read
  public func run(
    signals: [UnixSignal] = [.sigterm, .sigint], services: [any ServiceLifecycle.Service] = [],
    until end: AsyncStream<Void>? = nil, onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
  ) async throws {
    let desk = Desk(
      lists: lanes(settings.connections.lists, timeout: settings.timeouts.list),
      counts: lanes(settings.connections.counts, timeout: settings.timeouts.count),
      streams: lanes(settings.connections.streams, timeout: CallLogService.streamStatement),
      cels: settings.cels.map {
        CELReader($0, lanes: lanes(1, timeout: settings.timeouts.list, database: $0.database), log: log)
      },
      takesCounts: settings.takesCounts)
    let feed = Feed(settings.events, lanes: eventLanes(), waker: waker, log: log)
    let ending = Ending()
    let metrics = Metrics()
    let exports = exportWorker()
    let gate = Gate(
      authenticator, limit: settings.site.limits.refusedAttempts, proxies: settings.site.trustedProxies,
      speaksTLS: settings.certificate != nil)
    let site = Site(
      routes: routes(desk, feed) { exports.wake() }, pages: pages(desk, feed, gate), gate: gate,
      settings: settings.site, ending: ending, metrics: metrics, log: log)
    var all = services
    if let port = settings.managementPort {
      let management = ManagementSite(
        metrics: metrics, desk: desk, ending: ending, samples: { [gauges] in feed.samples + gauges().map(\.sample) })
      all.append(
        Listener(
          name: "the service's metrics", host: settings.managementListen, port: port, setting: "service.management_",
          server: Application(
            responder: management,
            configuration: ApplicationConfiguration(address: .hostname(settings.managementListen, port: port)),
            onServerRunning: { channel in log.notice("metrics and health are at \(CallLogService.address(of: channel))") },
            logger: quietLog)))
    }
    let scheme = settings.certificate == nil ? "http" : "https"
    all.append(
      Listener(
        name: "the API", host: settings.listen, port: settings.port, setting: "rest_api.",
        server: Application(
          responder: site, server: try server(),
          configuration: ApplicationConfiguration(
            address: .hostname(settings.listen, port: settings.port), serverName: "wazo-call-logd",
            availableConnectionsDelegate: MaximumAvailableConnections(settings.mostConnections, logger: quietLog)),
          onServerRunning: { channel in
            log.notice("listening at \(scheme)://\(CallLogService.address(of: channel))\(Site.prefix)")
            onListening(channel.localAddress?.port ?? 0)
          }, logger: quietLog)))
    if settings.takesCounts {
      all.append(CountKeeper(database: settings.database, isNeeded: settings.needsCounts, log: log))
    }
    // The last one learns first that the service ends.
    all.append(EndingService(ending: ending, feed: feed))
    var configurations = all.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) }
    if let end {
      configurations.append(
        ServiceGroupConfiguration.ServiceConfiguration(
          service: Until(end: end), successTerminationBehavior: .gracefullyShutdownGroup))
    }
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: configurations, gracefulShutdownSignals: signals, logger: quietLog))
    exports.start()
    // A client that takes nothing would hold up the end for as long as a stream may last.
    let limit = Task { [grace = settings.grace] in
      await ending.hasBegun()
      try await Task.sleep(for: grace)
      for lanes in [feed.lanes] + desk.all { await lanes.close(grace: .zero) }
    }
    defer { limit.cancel() }
    let result: Result<Void, any Error>
    do {
      try await group.run()
      result = .success(())
    } catch {
      result = .failure(error)
    }
    for lanes in [feed.lanes] + desk.all { await lanes.close(grace: settings.grace) }
    try? await BlockingThread.run("exports-end") { exports.stop() }
    try result.get()
  }

  /// All routes.
  func routes(_ desk: Desk, _ feed: Feed, wake: @escaping @Sendable () -> Void) -> [Route] {
    let site = settings.site
    let own = ServiceRoutes(
      configuration: site.configuration, debug: debug, authenticator: authenticator, health: Health())
    return CallLogRoutes(desk: desk).routes + EventRoutes(desk: desk).routes
      + MediaRoutes(desk: desk, folder: site.recordingsDirectory).routes
      + ExportRoutes(desk: desk, folders: [site.exportsDirectory, site.recordingsDirectory], wake: wake).routes
      + StatsRoutes(desk: desk).routes + RetentionRoutes(desk: desk).routes
      + StreamRoutes(desk: desk, feed: feed, limits: settings.streams).routes + own.routes
  }

  private func pages(_ desk: Desk, _ feed: Feed, _ gate: Gate) -> [Route] {
    let page = PageRoutes(desk: desk, gate: gate, log: log)
    let live = LiveRoutes(page: page, streams: StreamRoutes(desk: desk, feed: feed, limits: settings.streams))
    return page.routes + SuggestionRoutes(page: page).routes + live.routes
  }

  private func exportWorker() -> ExportWorker {
    let links = ExportLinks(
      authenticator: authenticator, validity: settings.exportTokenSeconds, needsToken: settings.mailNeedsToken)
    let (database, log) = (settings.database, log)
    return ExportWorker(
      ExportSettings(
        folder: settings.site.exportsDirectory, recordingsFolder: settings.site.recordingsDirectory, mail: settings.mail),
      connect: { try Connection(database, log: log) }, log: log, link: { try links.link($0) })
  }

  /// A statement that reads one page of a stream.
  private static let streamStatement = Duration.seconds(60)

  /// Lanes for streams of events. They connect when somebody listens. Each client asks for one
  /// thing at a time, so that nobody waits for long.
  private func eventLanes() -> Lanes {
    lanes(2, timeout: settings.timeouts.list, queue: settings.events.most + 8, wait: CallLogService.streamStatement)
  }

  private func lanes(
    _ count: Int, timeout: Duration, queue: Int? = nil, wait: Duration? = nil, database: ConnectionParameters? = nil
  ) -> Lanes {
    var parameters = database ?? settings.database
    let (seconds, attoseconds) = timeout.components
    parameters.options["statement_timeout"] = "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)"
    // A lane that is held up by a lock would hold up all behind it.
    parameters.options["lock_timeout"] = "2000"
    // To compile a statement takes longer than to find a page.
    parameters.options["jit"] = "off"
    var lanes = LaneSettings(
      connection: parameters, count: count, queue: queue ?? settings.queue.length, wait: wait ?? settings.queue.wait)
    (lanes.readerIdle, lanes.streamLimit) = settings.streams
    return Lanes(lanes, log: log)
  }

  /// The libraries' own messages are for their developers.
  private var quietLog: Logger {
    var quiet = log
    quiet.logLevel = .error
    return quiet
  }

  private func server() throws -> HTTPServerBuilder {
    let decoder = HTTP1Channel.Configuration.DecoderConfiguration(
      maxHeaderFieldSize: settings.headerLimit, maxHeaderListSize: settings.headerLimit, maxHeaderFieldCount: 100)
    let http = HTTPServerBuilder.http1(
      configuration: HTTP1Channel.Configuration(
        // A body that comes too slowly is answered before its connection is cut.
        idleTimeout: .seconds(settings.site.limits.request.components.seconds + 5), httpDecoderConfiguration: decoder))
    guard let files = settings.certificate else { return http }
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(files.chain).map { NIOSSLCertificateSource.certificate($0) }
      let key = NIOSSLPrivateKeySource.privateKey(try NIOSSLPrivateKey(file: files.key, format: .pem))
      return try .tls(http, tlsConfiguration: .makeServerConfiguration(certificateChain: chain, privateKey: key))
    } catch {
      throw JobError(.configuration, "cannot use the certificate \(files.chain) with the key \(files.key): \(error)")
    }
  }

  private static func address(of channel: any Channel) -> String {
    guard let address = channel.localAddress, let port = address.port else { return "an unknown address" }
    let host = address.ipAddress ?? "localhost"
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}

/// Ends the service from within its program.
private struct Until: ServiceLifecycle.Service {
  let end: AsyncStream<Void>

  func run() async throws {
    await cancelWhenGracefulShutdown { for await _ in end { return } }
  }
}

/// Notes that the service ends, so that new requests are refused while the running ones end.
private struct EndingService: ServiceLifecycle.Service {
  let ending: Ending
  let feed: Feed

  func run() async throws {
    try await gracefulShutdown()
    ending.begin()
    // These would not end of themselves.
    feed.end()
  }
}
