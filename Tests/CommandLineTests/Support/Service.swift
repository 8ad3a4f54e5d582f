import AsyncHTTPClient
import Foundation
import NIOCore
import Testing

/// `wazo-call-logd` at work on a free port, with a file of tokens of the test's own. Nothing of the
/// machine's settings reaches it.
final class RunningService {
  let folder: Scratch
  /// The beginning of all addresses, as the service says it.
  let url: String
  private let running: Running

  static let path = Program.folder + "/wazo-call-logd"

  /// Beside many other tests, a test may not come to read for minutes. So neither client nor
  /// service loses patience.
  private static let client: HTTPClient = {
    var configuration = HTTPClient.Configuration.singletonConfiguration
    configuration.timeout.read = nil
    return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
  }()

  /// Starts it, and waits until it listens.
  init(
    _ uri: String, _ arguments: [String] = [], folder: Scratch? = nil, environment: [String: String] = [:],
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let scratch = try folder ?? Scratch()
    self.folder = scratch
    let running = try RunningService.run(uri, arguments, folder: scratch, environment: environment)
    try wait("for the service", location) { !running.isRunning || running.errors.contains("listening at ") }
    let listening = running.errors.firstMatch(of: /listening at (\S+)\n/)
    url = String(try #require(listening, "\(running.errors)", sourceLocation: location).1)
    self.running = running
  }

  /// Starts it, and does not wait: it may not get as far as to listen.
  static func run(
    _ uri: String?, _ arguments: [String] = [], folder: Scratch, environment: [String: String] = [:]
  ) throws -> Running {
    var settings = [
      "WAZO_CALL_LOGS_TOKENS_FILE": tokens(in: folder), "WAZO_CALL_LOGS_REST_API_PORT": "0",
      "WAZO_CALL_LOGS_SERVICE_MANAGEMENT_PORT": "0", "WAZO_CALL_LOGS_SERVICE_STREAM_IDLE": "30min",
    ]
    settings["WAZO_CALL_LOGS_DB_URI"] = uri
    let ownFile = arguments.contains("-c") ? [] : ["-c", folder.file("wazo.yml", "")]
    return try Running(path, ownFile + arguments, environment: settings.merging(environment) { $1 })
  }

  static func tokens(in folder: Scratch) -> String { folder.path + "/etc/tokens" }

  /// Makes a token that reads everything.
  static func makeToken(in folder: Scratch) throws -> String {
    let outcome = try Program.run("token", "create", "--name", "test", "--all-tenants", "--file", tokens(in: folder))
    #expect(outcome.status == 0, "\(outcome.errors)")
    return outcome.text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// What it has logged so far.
  var log: String { running.errors }

  var pid: Int32 { running.pid }

  /// Asks it something. The client's own thread reads: beside many other tests, the test's may
  /// stand still for minutes.
  func ask(_ path: String, token: String? = nil, within limit: TimeAmount = .minutes(30)) throws -> (status: Int, body: Data) {
    try RunningService.ask(url, path, token: token, within: limit)
  }

  /// Asks a service that is at this address.
  static func ask(
    _ url: String, _ path: String, token: String?, within limit: TimeAmount = .minutes(30)
  ) throws -> (status: Int, body: Data) {
    let request = try HTTPClient.Request(url: url + path, headers: token.map { ["X-Auth-Token": $0] } ?? [:])
    let response = try client.execute(request: request, deadline: .now() + limit).wait()
    return (Int(response.status.code), Data(response.body?.readableBytesView ?? ByteBufferView()))
  }

  /// Begins a download, of which nothing more is read after its first bytes until it goes on.
  func download(_ path: String, token: String) throws -> PausedDownload {
    let download = PausedDownload()
    download.task = RunningService.client.execute(request: try request(path, token), delegate: download)
    return download
  }

  private func request(_ path: String, _ token: String?) throws -> HTTPClient.Request {
    try HTTPClient.Request(url: url + path, headers: token.map { ["X-Auth-Token": $0] } ?? [:])
  }

  func send(_ signal: Int32) { running.send(signal) }

  func finish(_ location: SourceLocation = #_sourceLocation) throws -> Outcome { try running.finish(location) }

  /// Ends it as an administrator does.
  @discardableResult
  func stop(_ location: SourceLocation = #_sourceLocation) throws -> Outcome {
    send(SIGTERM)
    let outcome = try finish(location)
    #expect(outcome.status == 0, "\(outcome.errors)", sourceLocation: location)
    return outcome
  }
}

/// Expects that the service does not start, and says why in one last sentence.
func expectRefusal(
  _ outcome: Outcome, _ status: Int32, _ parts: String..., location: SourceLocation = #_sourceLocation
) {
  #expect(outcome.status == status, "\(outcome.errors)", sourceLocation: location)
  #expect(outcome.output.isEmpty, sourceLocation: location)
  let said = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("wazo-call-logd: ") }
  #expect(said.count == 1 && outcome.errors.hasSuffix("\(said.first ?? "")\n"), "\(outcome.errors)", sourceLocation: location)
  for part in parts {
    #expect(said.first?.contains(part) == true, "no “\(part)” in: \(outcome.errors)", sourceLocation: location)
  }
}
