import Foundation
import PrivateServer
import Synchronization

/// Stands between programs and a private server, on a unix socket of its own, and cuts connections
/// where a test asks for it. Ends with its last reference.
package final class CuttingProxy: Sendable {
  /// When a connection is cut.
  package enum Moment: String, CaseIterable, Sendable {
    /// The server never gets the statement.
    case before
    /// The server has done the statement; its answer does not arrive.
    case answerLost
    /// The statement is sent and nobody waits: the server may still be doing it when the program
    /// knows that the connection is gone.
    case atOnce
  }

  private let folder: String
  private let listener: Int32
  private let server: String
  private let port: Int
  private let state = ProxyState()

  /// Listens, and lets everything through.
  /// - Throws: `POSIXError` where no socket can be had.
  package init(to server: PrivateServer) throws {
    self.server = server.socketDirectory + "/.s.PGSQL.\(server.port)"
    port = server.port
    var template = Array("/tmp/cutting-proxy-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw UnixSocket.error }
    folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    listener = try UnixSocket.listen(folder + "/.s.PGSQL.\(server.port)")
    Thread.detachNewThread { [state, listener, server = self.server] in
      while let client = UnixSocket.accept(listener) {
        if state.takesHangUp() {
          // As a server that is killed while it answers.
          _ = UnixSocket.read(client, 4).flatMap { UnixSocket.read(client, Int(UnixSocket.number($0)) - 4) }
          close(client)
          continue
        }
        // While the server restarts nobody answers there: neither do we.
        guard let other = UnixSocket.connect(server) else {
          close(client)
          continue
        }
        ProxyConnection(client: client, server: other, state: state).start()
      }
      close(listener)
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    state.end()
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// The URI of a database by way of the proxy, for the superuser or another role.
  package func uri(database: String, user: String = "postgres") -> String {
    "postgresql:///\(database)?host=\(folder.replacing("/", with: "%2F"))&user=\(user)&port=\(port)"
  }

  /// Cuts the connection that comes to its `passing`-th statement that begins with `statement`,
  /// counted from now over all connections. Once.
  package func cut(_ moment: Moment, at statement: String, passing: Int = 1) {
    state.add(ProxyState.Order(moment: moment, statement: statement, left: passing))
  }

  /// Takes the next so many connections, hears what they want, and hangs up.
  package func hangUp(_ times: Int) { state.hangUp(times) }

  /// Passes nothing on any more of the connections that are open now, and tells nobody: as a
  /// firewall that has forgotten them.
  /// - Parameter newOnes: whether later connections are taken, too, and hear nothing
  package func fallSilent(newOnes: Bool = false) { state.fallSilent(newOnes) }

  /// Lets later connections through again.
  package func speak() { state.speak() }

  /// Hang-ups that are still to come.
  package var hangUps: Int { state.hangUps }

  /// Forgets cuts that have not come about.
  package func letThrough() { state.forget() }

  /// The statements at which connections were cut.
  package var cuts: [String] { state.cuts }

  /// Connections taken so far, cancel requests aside.
  package var connections: Int { state.connections }

  /// Statements forwarded so far.
  package var statements: Int { state.statements }
}

/// What all connections of a proxy know.
final class ProxyState: Sendable {
  struct Order {
    var moment: CuttingProxy.Moment
    var statement: String
    var left: Int
  }

  private struct Values {
    var orders: [Order] = []
    var cuts: [String] = []
    var connections = 0
    var hangUps = 0
    var statements = 0
    var open: [ObjectIdentifier: ProxyConnection] = [:]
    var isSilent = false
    var hasEnded = false
  }
  private let values = Mutex(Values())

  var cuts: [String] { values.withLock(\.cuts) }
  var connections: Int { values.withLock(\.connections) }
  var statements: Int { values.withLock(\.statements) }

  var hangUps: Int { values.withLock(\.hangUps) }

  func hangUp(_ times: Int) { values.withLock { $0.hangUps = times } }

  var hasEnded: Bool { values.withLock(\.hasEnded) }

  func fallSilent(_ newOnes: Bool) {
    values.withLock { values in
      values.isSilent = newOnes
      for connection in values.open.values { connection.fallSilent() }
    }
  }

  func speak() { values.withLock { $0.isSilent = false } }

  /// Whether this connection is to be hung up on.
  func takesHangUp() -> Bool {
    values.withLock {
      guard $0.hangUps > 0 else { return false }
      $0.hangUps -= 1
      return true
    }
  }

  func add(_ order: Order) { values.withLock { $0.orders.append(order) } }
  func forget() { values.withLock { $0.orders.removeAll() } }
  func countConnection() { values.withLock { $0.connections += 1 } }

  /// Whether the connection with this statement is to be cut, and when.
  func moment(of statement: String) -> CuttingProxy.Moment? {
    values.withLock { values in
      values.statements += 1
      var found: Int?
      for index in values.orders.indices where statement.hasPrefix(values.orders[index].statement) {
        values.orders[index].left -= 1
        if values.orders[index].left == 0 { found = index }
      }
      guard let found else { return nil }
      values.cuts.append(statement)
      return values.orders.remove(at: found).moment
    }
  }

  func opened(_ connection: ProxyConnection) {
    let isLate = values.withLock { values in
      if values.isSilent { connection.fallSilent() }
      if !values.hasEnded { values.open[ObjectIdentifier(connection)] = connection }
      return values.hasEnded
    }
    if isLate { connection.cut() }
  }

  func closed(_ connection: ProxyConnection) { values.withLock { $0.open[ObjectIdentifier(connection)] = nil } }

  func end() {
    let open = values.withLock { values in
      values.hasEnded = true
      return Array(values.open.values)
    }
    for connection in open { connection.cut() }
  }
}
