import AsyncHTTPClient
import Authentication
import Foundation
import Synchronization
import Values

/// Sends requests to wazo-auth. Nothing of it is logged, for the paths hold tokens.
final class AuthServer: Sendable {
  enum Method {
    case head, get, post, delete
  }

  /// A request, without the secrets that its path and its headers hold.
  struct Request: Sendable {
    let method: Method
    /// Below the base, with everything percent-encoded that needs to be.
    let path: String
    /// What people read in its place.
    let shownPath: String
    var headers: [(name: String, value: String)] = []
    var body: String?
    /// How many bytes the answer may have.
    var sizeLimit = 1 << 20
  }

  struct Reply: Sendable {
    let status: Int
    let body: Data
  }

  private let settings: WazoAuthSettings
  private let client: HTTPClient
  private let counts = Mutex(WazoAuthCounts())

  /// - Throws: ``JobError``: the file of certificate authorities cannot be read
  init(_ settings: WazoAuthSettings) throws(JobError) {
    self.settings = settings
    var configuration = HTTPClient.Configuration(
      certificateVerification: settings.verification == .nobody ? .none : .fullVerification,
      redirectConfiguration: .disallow)
    if case .authority(let path) = settings.verification {
      guard FileManager.default.isReadableFile(atPath: path) else {
        throw JobError(.configuration, "cannot read \(path), which verify_certificate of auth names")
      }
      configuration.tlsConfiguration?.trustRoots = .file(path)
    }
    configuration.httpVersion = .http1Only
    configuration.timeout.connect = .nanoseconds(settings.connectionLimit.wholeNanoseconds)
    // wazo-auth closes connections that nobody has used for 10 seconds.
    configuration.connectionPool.idleTimeout = .seconds(8)
    // Who waits gets told at once that nobody listens there.
    configuration.connectionPool.retryConnectionEstablishment = false
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// What was counted so far.
  var snapshot: WazoAuthCounts { counts.withLock { $0 } }

  func count(_ change: (inout WazoAuthCounts) -> Void) { counts.withLock { change(&$0) } }

  /// Ends the connections. Nothing can be asked afterwards.
  func shutdown() async { try? await client.shutdown() }

  // MARK: Asking

  /// Sends a request and waits for the whole answer, whatever its status.
  ///
  /// A kept connection may end just as it is used. What reads, or ends a token, is then sent again:
  /// three times at most, for the next connection may have ended, too.
  func reply(to request: Request, by deadline: ContinuousClock.Instant) async throws(AuthenticationError) -> Reply {
    var attempts = 0
    while true {
      do throws(Failure) {
        return try await attempt(request, by: deadline)
      } catch {
        attempts += 1
        guard error.isLostConnection, request.method != .post, attempts < 4 else { throw unreachable(error.reason) }
      }
    }
  }

  /// wazo-auth gave no usable answer.
  func failure(_ reason: String) -> AuthenticationError {
    count { $0.failures += 1 }
    return unreachable(reason)
  }

  /// The status of an answer is none of those that are expected.
  func failure(_ reply: Reply, to request: Request) -> AuthenticationError {
    failure("it answered \(request.shown) with status \(reply.status)")
  }

  private func unreachable(_ reason: String) -> AuthenticationError {
    .unreachable(host: settings.host, port: settings.port, reason: reason)
  }

  private struct Failure: Error {
    let reason: String
    var isLostConnection = false
  }

  /// Sends it once. The time limit holds for everything, from the look-up of the host's name to the
  /// last byte of the answer.
  private func attempt(_ request: Request, by deadline: ContinuousClock.Instant) async throws(Failure) -> Reply {
    count { $0.requests += 1 }
    let result: Result<Reply, Failure> = await withTaskGroup(of: Result<Reply, Failure>.self) { group in
      group.addTask { await self.send(request) }
      group.addTask { [limit = settings.limit] in
        try? await Task.sleep(until: deadline, clock: .continuous)
        return .failure(Failure(reason: Task.isCancelled ? "the request was given up" : "no answer within \(limit.shown)"))
      }
      defer { group.cancelAll() }
      return await group.next() ?? .failure(Failure(reason: "the request was given up"))
    }
    if case .failure = result { count { $0.failures += 1 } }
    return try result.get()
  }

  private func send(_ request: Request) async -> Result<Reply, Failure> {
    var message = HTTPClientRequest(url: settings.base + request.path)
    switch request.method {
    case .head: message.method = .HEAD
    case .get: message.method = .GET
    case .post: message.method = .POST
    case .delete: message.method = .DELETE
    }
    message.headers.add(name: "Accept", value: "application/json")
    for header in request.headers { message.headers.add(name: header.name, value: header.value) }
    if let body = request.body {
      message.headers.add(name: "Content-Type", value: "application/json")
      message.body = .bytes(Array(body.utf8))
    }
    do {
      let response = try await client.execute(message, timeout: .nanoseconds(settings.limit.wholeNanoseconds))
      let body = try await response.body.collect(upTo: request.sizeLimit)
      return .success(Reply(status: Int(response.status.code), body: Data(body.readableBytesView)))
    } catch {
      return .failure(failure(of: error, request))
    }
  }

  private func failure(of error: any Error, _ request: Request) -> Failure {
    switch error as? HTTPClientError {
    case .connectTimeout?: return Failure(reason: "no connection within \(settings.connectionLimit.shown)")
    case .deadlineExceeded?, .readTimeout?, .getConnectionFromPoolTimeout?:
      return Failure(reason: "no answer within \(settings.limit.shown)")
    case .remoteConnectionClosed?:
      return Failure(reason: "the connection ended before the answer", isLostConnection: true)
    case .alreadyShutdown?, .cancelled?: return Failure(reason: "the request was given up")
    default: break
    }
    if error is CancellationError { return Failure(reason: "the request was given up") }
    // The errors of the layers below have no common form. None names the path; should one do so one
    // day, it must not come any further.
    let text = String(describing: error)
    if text.contains("TooManyBytes") { return Failure(reason: "its answer to \(request.shown) is too long") }
    if text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("unableToValidate") {
      return Failure(reason: "its certificate cannot be verified: name its authority as verify_certificate of auth")
    }
    if text.contains("Connection refused") { return Failure(reason: "the connection was refused") }
    if ["reset by peer", "Broken pipe", "closed channel", "uncleanShutdown"].contains(where: text.contains) {
      return Failure(reason: "the connection ended before the answer", isLostConnection: true)
    }
    guard request.path == request.shownPath || !text.contains(request.path) else {
      return Failure(reason: "the request failed (\(type(of: error)))")
    }
    return Failure(reason: String(text.prefix(200).map { $0.isNewline ? " " : $0 }))
  }
}

extension AuthServer.Request {
  /// The request for people.
  var shown: String {
    let verb =
      switch method {
      case .head: "HEAD"
      case .get: "GET"
      case .post: "POST"
      case .delete: "DELETE"
      }
    return "\(verb) \(shownPath)"
  }

  /// A text as one part of a path or of a query: only letters, digits, dots, hyphens and
  /// underscores stay.
  static func encoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        bytes.append(byte)
      default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension Duration {
  /// The whole nanoseconds; those of 292 years at most.
  var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, isTooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, isStillTooLarge) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    return isTooLarge || isStillTooLarge ? .max : sum
  }

  /// The duration for people, in whole seconds.
  var shown: String { "\(components.seconds) s" }
}
