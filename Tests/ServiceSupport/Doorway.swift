import Foundation
import Synchronization

/// A port of 127.0.0.1 that leads to another one. A test can close it and open it again: a server
/// that is stopped and started looks so from outside.
///
/// The server itself goes on. Hummingbird's must not be stopped while somebody arrives: a
/// connection that is accepted and not yet served ends the whole program (swift-nio, issue 2637).
package final class Doorway: Sendable {
  /// The two ends of a connection, which are closed with the last reference.
  private final class Passage: Sendable {
    let ends: [Int32]

    init(_ ends: [Int32]) { self.ends = ends }
    deinit { for end in ends { close(end) } }

    func cut() { for end in ends { shutdown(end, Int32(SHUT_RDWR)) } }

    func start() {
      for (from, to) in [(ends[0], ends[1]), (ends[1], ends[0])] {
        Thread.detachNewThread { [self] in
          var piece = [UInt8](repeating: 0, count: 16_384)
          while case let count = recv(from, &piece, piece.count, 0), count > 0 {
            guard Doorway.sendAll(piece[..<count], to) else { break }
          }
          cut()
        }
      }
    }
  }

  private struct State {
    var listener: Int32?
    var port: UInt16 = 0
    var passages: [Passage] = []
  }

  private let target: UInt16
  private let state = Mutex(State())

  /// Leads to a port, and is open.
  package init(to target: Int) throws {
    self.target = UInt16(target)
    try open()
  }

  /// Where it is, open or closed.
  package var port: Int { state.withLock { Int($0.port) } }

  /// Lets people in again, by the same port.
  package func open() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var isOn: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &isOn, socklen_t(MemoryLayout<Int32>.size))
    let wanted = state.withLock { $0.port }
    guard Doorway.with(wanted, { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
      close(listener)
      throw POSIXError(.init(rawValue: errno) ?? .EIO)
    }
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &size) }
    }
    state.withLock { ($0.listener, $0.port) = (listener, UInt16(bigEndian: address.sin_port)) }
    Thread.detachNewThread { [self] in
      while case let client = accept(listener, nil, nil), client >= 0 { enter(client, by: listener) }
      close(listener)
    }
  }

  /// Lets nobody in any more, and throws out who is inside.
  package func shut() {
    let (listener, passages) = state.withLock { state in
      defer { (state.listener, state.passages) = (nil, []) }
      return (state.listener, state.passages)
    }
    if let listener { shutdown(listener, Int32(SHUT_RDWR)) }
    for passage in passages { passage.cut() }
  }

  private func enter(_ client: Int32, by listener: Int32) {
    let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let passage = Passage([client, server])
    guard Doorway.with(target, { connect(server, $0, $1) }) == 0 else { return }
    let isOpen = state.withLock { state in
      guard state.listener == listener else { return false }
      state.passages.append(passage)
      return true
    }
    if isOpen { passage.start() }
  }

  private static func sendAll(_ bytes: ArraySlice<UInt8>, _ end: Int32) -> Bool {
    var left = bytes
    while !left.isEmpty {
      let count = left.withUnsafeBytes { send(end, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      left = left.dropFirst(count)
    }
    return true
  }

  /// Calls a function of the system with 127.0.0.1 and a port.
  private static func with(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }
}
