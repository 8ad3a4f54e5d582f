import Foundation
import PostgreSQL

/// A client that sends whatever bytes a test wants, and sees how the connection ends.
final class RawClient: Sendable {
  private let socket: Int32

  /// Connects.
  /// - Parameter buffer: bytes that the system may receive ahead of the reader; nil for its default
  init(_ port: Int, buffer: Int32? = nil) throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { throw POSIXError(.EIO) }
    if var size = buffer { setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size)) }
    var time = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    // The socket is closed by `deinit`, also then. Closed twice, its number would be another's.
    guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
  }

  deinit { Glibc.close(socket) }

  /// Sends bytes, unless the other side is gone.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var done = 0
    while done < bytes.count {
      let sent = bytes.withUnsafeBytes {
        Glibc.send(socket, $0.baseAddress?.advanced(by: done), bytes.count - done, Int32(MSG_NOSIGNAL))
      }
      guard sent > 0 else { return false }
      done += sent
    }
    return true
  }

  @discardableResult
  func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  /// Says that no more bytes follow.
  func finish() { shutdown(socket, Int32(SHUT_WR)) }

  /// Goes away in both directions.
  func goAway() { shutdown(socket, Int32(SHUT_RDWR)) }

  /// Goes away without a farewell. Nothing can follow.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    var nowhere = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    _ = Glibc.connect(socket, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
  }

  /// Some bytes; none at the end, whichever it is, nil after 20 seconds without any.
  func receive(_ most: Int = 1 << 16) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: most)
    let count = recv(socket, &bytes, most, 0)
    if count < 0, errno == EAGAIN { return nil }
    return Array(bytes.prefix(max(0, count)))
  }

  /// All bytes until the end; nil where there is no end.
  /// - Parameter pause: microseconds before each read
  func receiveAll(pause: UInt32 = 0) -> [UInt8]? {
    var all: [UInt8] = []
    while true {
      if pause > 0 { usleep(pause) }
      guard let some = receive() else { return nil }
      if some.isEmpty { return all }
      all += some
    }
  }

  /// Bytes until a text has come; nil if it does not come.
  func receive(until text: String) -> String? {
    var all = ""
    while !all.contains(text) {
      guard let some = receive(), !some.isEmpty else { return nil }
      all += String(decoding: some, as: UTF8.self)
    }
    return all
  }
}

/// Does what blocks on a thread of its own.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await BlockingThread.run("client", body)
}

/// The body of an answer in chunks; nil where its last chunk is missing.
func unchunked(_ answer: [UInt8]) -> [UInt8]? {
  let mark = Array("\r\n\r\n".utf8)
  guard let head = answer.firstRange(of: mark) else { return nil }
  var place = head.upperBound
  var body: [UInt8] = []
  while let end = answer[place...].firstRange(of: Array("\r\n".utf8)) {
    guard let length = Int(String(decoding: answer[place..<end.lowerBound], as: UTF8.self), radix: 16) else { return nil }
    if length == 0 { return body }
    guard end.upperBound + length + 2 <= answer.count else { return nil }
    body += answer[end.upperBound..<end.upperBound + length]
    place = end.upperBound + length + 2
  }
  return nil
}
