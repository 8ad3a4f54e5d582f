import Foundation
import Synchronization
import TestSupport

/// A datagram socket as systemd has it for services (sd_notify(3)).
final class NotifySocket: Sendable {
  let path: String
  private let folder: Scratch
  private let descriptor: Int32
  private let received = Locked<[String]>([])
  private let isOver = Flag()

  init() throws {
    folder = try Scratch()
    // A socket's name has room for 107 bytes.
    path = folder.path + "/n"
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard descriptor >= 0, result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    var limit = timeval(tv_sec: 0, tv_usec: 100_000)
    _ = setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    read()
  }

  deinit { isOver.set() }

  /// Reads all the time: whoever sends waits while the queue is full, which holds some 10 messages.
  private func read() {
    let (descriptor, received, isOver) = (descriptor, received, isOver)
    Thread.detachNewThread {
      var bytes = [UInt8](repeating: 0, count: 4096)
      while !isOver.isSet {
        let count = recv(descriptor, &bytes, bytes.count, 0)
        if count > 0 { received.with { $0.append(String(decoding: bytes[..<count], as: UTF8.self)) } }
      }
      close(descriptor)
    }
  }

  /// All messages so far, in order.
  var messages: [String] { received.with { $0 } }
}

/// A flag that threads share.
private final class Flag: Sendable {
  private let value = Atomic<Bool>(false)
  var isSet: Bool { value.load(ordering: .relaxed) }
  func set() { value.store(true, ordering: .relaxed) }
}
