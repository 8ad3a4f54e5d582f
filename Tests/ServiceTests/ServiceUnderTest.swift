import API
import AsyncHTTPClient
import Authentication
import Foundation
import NIOCore
import PostgreSQL
import ServiceSupport
import Store
import Synchronization
import TestSupport
import UnixSignals
import Values

@testable import Service

/// An answer of the service.
struct Answer: Sendable {
  var status: Int
  var headers: [String: String]
  var body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }
  var json: JSONValue? { JSONValue(json: body) }
  /// The ids of a list.
  var ids: [Int64] {
    guard case .list(let items)? = json?["items"] else { return [] }
    return items.compactMap { if case .integer(let id)? = $0["id"] { id } else { nil } }
  }
  func number(_ key: String) -> Int64? { if case .integer(let number)? = json?[key] { number } else { nil } }
  var errorID: String? { if case .string(let id)? = json?["error_id"] { id } else { nil } }
}

/// The service, at work on a free port.
final class ServiceUnderTest: Sendable {
  let port: Int
  let log: LogRecorder
  let debug: DebugSwitch
  private let task: Task<Void, any Error>
  private let end: AsyncStream<Void>.Continuation

  static let master = uuid(0)

  private init(
    port: Int, log: LogRecorder, debug: DebugSwitch, task: Task<Void, any Error>, end: AsyncStream<Void>.Continuation
  ) {
    (self.port, self.log, self.debug, self.task, self.end) = (port, log, debug, task, end)
  }

  /// Starts it on a database.
  static func start(
    _ uri: String, _ authenticator: any Authenticator, level: LogRecorder = LogRecorder(), signals: [UnixSignal] = [],
    settings edit: (inout CallLogServiceSettings) -> Void = { _ in }
  ) async throws -> ServiceUnderTest {
    var settings = CallLogServiceSettings()
    settings.port = 0
    settings.managementPort = nil
    settings.database = ConnectionParameters(uri: uri, applicationName: "service-tests", connectTimeout: 2)
    settings.cels = CELTableSettings(database: settings.database)
    settings.timeouts = (.seconds(60), .seconds(60))
    settings.queue.wait = .seconds(60)
    settings.grace = .seconds(5)
    // Beside many other tests, a test may not come to read for minutes.
    settings.streams.idle = .seconds(1800)
    settings.connections = (2, 1, 1)
    // To make counts takes a lock that tests may hold.
    settings.takesCounts = false
    edit(&settings)
    let debug = DebugSwitch(false)
    let (ports, told) = AsyncStream.makeStream(of: Int.self)
    let service = CallLogService(settings, authenticator: authenticator, debug: debug, log: level.logger)
    let (stop, end) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      defer { told.finish() }
      try await service.run(signals: signals, until: stop) { told.yield($0) }
    }
    guard let port = await ports.first(where: { _ in true }) else {
      try await task.value
      throw JobError(.fault, "the service ended before it listened")
    }
    return ServiceUnderTest(port: port, log: level, debug: debug, task: task, end: end)
  }

  /// A client that waits as long as it takes.
  private static let client: HTTPClient = {
    var configuration = HTTPClient.Configuration.singletonConfiguration
    configuration.timeout.read = nil
    return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
  }()

  /// Lets running answers end, and ends it.
  func stop() async {
    end.finish()
    _ = await task.result
  }

  /// Waits until it has ended by itself.
  func ended() async { _ = await task.result }

  /// Asks it something.
  func ask(
    _ method: String = "GET", _ path: String, _ headers: [String: String] = [:], body: [UInt8]? = nil, absolute: Bool = false
  ) async throws -> Answer {
    var request = try HTTPClient.Request(
      url: "http://127.0.0.1:\(port)\(absolute ? "" : "/1.0")\(path)", method: .init(rawValue: method))
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body { request.body = .bytes(body) }
    // The client's own thread reads the body: beside many other tests, a task may stand still for
    // minutes, and the system cuts off who does not read.
    let response = try await ServiceUnderTest.client.execute(request: request, deadline: .now() + .minutes(30)).get()
    let bytes = response.body.map { Array($0.readableBytesView) } ?? []
    return Answer(
      status: Int(response.status.code),
      headers: Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $0 + ", " + $1 }),
      body: bytes)
  }

  /// Asks it something as the owner of a token.
  func ask(as token: String, _ path: String, _ headers: [String: String] = [:]) async throws -> Answer {
    try await ask("GET", path, headers.merging(["X-Auth-Token": token]) { $1 })
  }
}

/// A file of tokens for a test.
struct TokensOfTest {
  let file: TokensFile
  private let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "tokens-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    file = TokensFile(folder + "/tokens")
  }

  var authenticator: TokensAuthenticator { file.authenticatorOfTest }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }
}

extension TokensFile {
  /// Who knows the tokens of a test's file.
  var authenticatorOfTest: TokensAuthenticator { TokensAuthenticator(self, master: ServiceUnderTest.master) }
}

/// Makes a file of tokens and a database with tables, serves them, and ends all.
func withService(
  settings edit: (inout CallLogServiceSettings) -> Void = { _ in },
  _ body: (ServiceUnderTest, TestDatabase, TokensFile) async throws -> Void
) async throws {
  let database = try TestDatabase(.empty)
  try Migrator(database.admin).migrate(program: "tests")
  let tokens = try TokensOfTest()
  defer { tokens.remove() }
  let service = try await ServiceUnderTest.start(database.uri, tokens.authenticator, settings: edit)
  let result = await Result { () async throws in try await body(service, database, tokens.file) }
  await service.stop()
  try result.get()
}
