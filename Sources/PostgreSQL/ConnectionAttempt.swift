internal import CLibPQ
import Glibc

/// Connects step by step. This keeps the notices of connecting away from standard error. It also
/// gives the server's error codes: for a failed connection libpq prints them only at the verbose
/// level.
struct ConnectionAttempt: ~Copyable {
  private let connection: OpaquePointer
  private var wasReached = false

  /// An open connection. The caller must call PQfinish.
  static func connect(_ parameters: ConnectionParameters, notices: NoticeSink) throws(PostgreSQLError) -> OpaquePointer {
    _ = try parameters.parsedURI()
    var keywords = [("fallback_application_name", parameters.applicationName), ("client_encoding", "UTF8")]
    if let uri = parameters.normalizedURI { keywords.insert(("dbname", uri), at: 0) }
    // Whoever loses the network without a word would wait for minutes. The URI comes later and
    // wins.
    keywords.insert(
      contentsOf: [
        ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"), ("tcp_user_timeout", "30000"),
      ], at: 0)
    let started = withCStrings(keywords.map(\.0)) { names in
      withCStrings(keywords.map(\.1)) { values in PQconnectStartParams(names, values, 1) }
    }
    guard let started else {
      throw PostgreSQLError(kind: .connection, connectionFailure: .other, purpose: "Connecting", message: "out of memory")
    }
    notices.attach(to: started)
    PQsetErrorVerbosity(started, PQERRORS_VERBOSE)
    var attempt = ConnectionAttempt(connection: started)
    do throws(PostgreSQLError) {
      try attempt.run(secondsPerAddress: limit(of: started, otherwise: parameters.connectTimeout))
    } catch {
      PQfinish(started)
      throw error
    }
    PQsetErrorVerbosity(started, PQERRORS_DEFAULT)
    return started
  }

  private init(connection: OpaquePointer) {
    self.connection = connection
  }

  /// The time limit in force, from any source; nil for none. libpq's least limit is two seconds.
  private static func limit(of connection: OpaquePointer, otherwise seconds: Int) -> Int? {
    guard let list = PQconninfo(connection) else { return seconds }
    defer { PQconninfoFree(list) }
    let limit = ConnectionString.collect(list)["connect_timeout"].flatMap { Int($0) } ?? seconds
    return limit > 0 ? max(limit, 2) : nil
  }

  private mutating func run(secondsPerAddress: Int?) throws(PostgreSQLError) {
    var polling = PGRES_POLLING_WRITING
    var address = currentAddress
    var deadline = secondsPerAddress.map { now() + $0 * 1000 }
    var wasShutDown = false
    while PQstatus(connection) != CONNECTION_BAD, polling != PGRES_POLLING_OK, polling != PGRES_POLLING_FAILED {
      if currentAddress != address {
        address = currentAddress
        deadline = secondsPerAddress.map { now() + $0 * 1000 }
        wasShutDown = false
      }
      if !wait(for: polling, until: deadline) {
        guard !wasShutDown else { throw timedOut(secondsPerAddress ?? 0) }
        // libpq takes the broken attempt for a refusal and tries the server's next address, as with
        // its own time limit.
        shutdown(PQsocket(connection), Int32(SHUT_RDWR))
        wasShutDown = true
        deadline = now() + 1000
      }
      polling = PQconnectPoll(connection)
      noteProgress()
      if wasShutDown, polling == PGRES_POLLING_FAILED, let secondsPerAddress { throw timedOut(secondsPerAddress) }
    }
    if polling != PGRES_POLLING_OK { throw failure() }
  }

  private mutating func noteProgress() {
    switch PQstatus(connection) {
    case CONNECTION_STARTED, CONNECTION_NEEDED, CONNECTION_BAD: break
    default: wasReached = true
    }
  }

  private var currentAddress: [String] {
    [PQhost(connection), PQhostaddr(connection), PQport(connection)].map { $0.map { String(cString: $0) } ?? "" }
  }

  /// Whether the socket became ready before the deadline.
  private func wait(for polling: PostgresPollingStatusType, until deadline: Int?) -> Bool {
    let events = polling == PGRES_POLLING_READING ? POLLIN : POLLOUT
    while true {
      var entry = pollfd(fd: PQsocket(connection), events: Int16(events), revents: 0)
      let left = deadline.map { Int32(clamping: max(0, $0 - now())) } ?? -1
      let ready = poll(&entry, 1, left)
      if ready >= 0 || errno != EINTR { return ready != 0 }
    }
  }

  private func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }

  private func timedOut(_ seconds: Int) -> PostgreSQLError {
    PostgreSQLError(
      kind: .connection, connectionFailure: .unreachable, purpose: "Connecting",
      message: "no answer within \(seconds) seconds", server: ServerDescription(connection: connection))
  }

  private func failure() -> PostgreSQLError {
    let report = ConnectionReport(String(cString: PQerrorMessage(connection)))
    return PostgreSQLError(
      kind: .connection, connectionFailure: reason(report), sqlState: report.sqlState, purpose: "Connecting",
      message: report.message, detail: report.detail, hint: report.hint, server: ServerDescription(connection: connection))
  }

  private func reason(_ report: ConnectionReport) -> PostgreSQLError.ConnectionFailure {
    switch report.sqlState {
    case .class("28"): .authentication
    case .invalidCatalogName: .noSuchDatabase
    case .cannotConnectNow: .unreachable
    case .some: .other
    case nil where PQconnectionNeedsPassword(connection) != 0: .authentication
    case nil: wasReached ? .other : .unreachable
    }
  }
}

/// Calls `body` with a NULL-terminated list of C strings.
private func withCStrings<R>(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> R) -> R {
  let copies = strings.map { strdup($0) }
  defer { for copy in copies { free(copy) } }
  let pointers = copies.map { $0.map { UnsafePointer($0) } } + [nil]
  return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
}
