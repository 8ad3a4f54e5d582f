import Foundation
import Synchronization

/// A datagram socket as systemd has it for services (sd_notify(3)).
final class NotifySocket: Sendable {
  let path: String
  private let folder: Scratch
  private let descriptor: Int32
  private let received = Mutex<[String]>([])

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
  }

  deinit { close(descriptor) }

  /// All messages so far, in order.
  var messages: [String] {
    received.withLock { received in
      var bytes = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        guard count > 0 else { return received }
        received.append(String(decoding: bytes[..<count], as: UTF8.self))
      }
    }
  }
}
