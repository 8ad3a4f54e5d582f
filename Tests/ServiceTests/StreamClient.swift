import AsyncHTTPClient
import NIOCore
import PostgreSQL
import ServiceSupport
import Synchronization
import TestSupport

/// A client of the stream of call logs.
final class StreamClient: Sendable {
  struct Event: Equatable {
    var name = ""
    var data = ""
    /// As the client knows it when the event comes.
    var lastID: String?

    /// The id of the call log in it.
    var callLog: Int64 { Int64(data.dropFirst("{\"id\":".count).prefix { $0.isNumber }) ?? -1 }
  }

  private struct State {
    var events: [Event] = []
    var text = ""
    var lastID: String?
    var isOver = false
  }

  let status: Int
  let headers: [String: String]
  private let state: Mutex<State>
  private let task = Mutex<Task<Void, Never>?>(nil)

  private init(_ response: HTTPClientResponse, lastID: String?) {
    status = Int(response.status.code)
    headers = Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
    state = Mutex(State(lastID: lastID))
    let body = response.body
    task.withLock {
      $0 = Task { [self] in
        var rest: [UInt8] = []
        do {
          for try await piece in body { take(piece, &rest) }
        } catch {}
        state.withLock { $0.isOver = true }
      }
    }
  }

  static func open(
    _ service: ServiceUnderTest, _ token: String, _ query: String = "", lastID: String? = nil
  ) async throws -> StreamClient {
    try await open(port: service.port, token, query, lastID: lastID)
  }

  /// A client of the page's own stream.
  static func open(_ page: PageOfTest, _ query: String = "", lastID: String? = nil) async throws -> StreamClient {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(page.service.port)/live\(query)")
    request.headers.add(name: "Cookie", value: page.cookie)
    if let lastID { request.headers.add(name: "Last-Event-ID", value: lastID) }
    return StreamClient(try await HTTPClient.shared.execute(request, timeout: .hours(1)), lastID: lastID)
  }

  static func open(
    port: Int, _ token: String, _ query: String = "", lastID: String? = nil, cookie: String? = nil
  ) async throws -> StreamClient {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/1.0/cdr/stream\(query)")
    if let cookie {
      request.headers.add(name: "Cookie", value: cookie)
    } else {
      request.headers.add(name: "X-Auth-Token", value: token)
    }
    if let lastID { request.headers.add(name: "Last-Event-ID", value: lastID) }
    return StreamClient(try await HTTPClient.shared.execute(request, timeout: .hours(1)), lastID: lastID)
  }

  var events: [Event] { state.withLock(\.events) }
  var callLogs: [Int64] { events.filter { $0.name == "call_log" }.map(\.callLog) }
  var text: String { state.withLock(\.text) }
  var lastID: String? { state.withLock(\.lastID) }
  var isOver: Bool { state.withLock(\.isOver) }

  /// Goes away.
  func close() async {
    let task = task.withLock { $0 }
    task?.cancel()
    await task?.value
  }

  /// Waits until something holds; for half a minute at most.
  func wait(_ holds: (StreamClient) -> Bool) async -> Bool {
    for _ in 0..<600 {
      if holds(self) { return true }
      try? await Task.sleep(for: .milliseconds(50))
    }
    return holds(self)
  }

  /// Reads what came, as the HTML standard says that a browser does.
  private func take(_ piece: ByteBuffer, _ rest: inout [UInt8]) {
    rest += piece.readableBytesView
    while let end = rest.indices.dropLast().first(where: { rest[$0] == 10 && rest[$0 + 1] == 10 }) {
      let block = String(decoding: rest[..<end], as: UTF8.self)
      rest.removeSubrange(...(end + 1))
      state.withLock { state in
        state.text += block + "\n\n"
        var event = Event()
        for line in block.split(separator: "\n") where !line.hasPrefix(":") {
          let parts = line.split(separator: ":", maxSplits: 1)
          let value = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
          switch parts[0] {
          case "id": state.lastID = value
          case "event": event.name = value
          case "data": event.data += value
          default: break
          }
        }
        event.lastID = state.lastID
        if !event.data.isEmpty { state.events.append(event) }
      }
    }
  }
}

extension TestDatabase {
  /// Writes call logs as Wazo's daemon does: the database gives their ids.
  @discardableResult
  func write(_ count: Int = 1, tenant: Int = 1, conversation: String = "c", _ columns: [(String, String)] = []) throws -> [Int64]
  {
    let names = (["date", "tenant_uuid", "conversation_id"] + columns.map(\.0)).joined(separator: ", ")
    let values = (["'2024-05-01Z'", "'\(uuid(tenant))'", "'\(conversation)'"] + columns.map(\.1)).joined(separator: ", ")
    let statement = "INSERT INTO call_logd_call_log (\(names)) SELECT \(values) FROM generate_series(1, \(count)) RETURNING id"
    return try admin.query(statement, purpose: "Writing call logs").compactMap { $0.int64(0) }
  }

  func addTenants(_ count: Int) throws {
    for number in 0..<count { try run("INSERT INTO call_logd_tenant VALUES ('\(uuid(number))')") }
  }
}
