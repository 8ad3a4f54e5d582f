import Glibc

/// Tells systemd what a service does, if systemd started it (sd_notify(3)). Elsewhere it does
/// nothing.
package struct SystemdNotification: Sendable {
  private let socketPath: String?
  /// Half the time within which systemd wants a sign of life; nil where it wants none.
  package let watchdogInterval: Duration?

  /// - Parameter environment: of the process
  package init(_ environment: [String: String]) {
    socketPath = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
    let isMeant = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
    let microseconds = isMeant ? environment["WATCHDOG_USEC"].flatMap { Int64($0) } : nil
    watchdogInterval = microseconds.flatMap { $0 > 0 ? .microseconds($0 / 2) : nil }
  }

  /// The service is ready.
  package func ready() { send("READY=1") }

  /// The service ends.
  package func stopping() { send("STOPPING=1") }

  /// The service is alive.
  package func watchdog() { send("WATCHDOG=1") }

  /// What the service does, for `systemctl status`.
  package func status(_ text: String) { send("STATUS=" + text.split(separator: "\n").joined(separator: " ")) }

  private func send(_ message: String) {
    guard let socketPath else { return }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var name = Array(socketPath.utf8)
    let capacity = MemoryLayout.size(ofValue: address.sun_path)
    guard !name.isEmpty, name.count < capacity else { return }
    // A name that begins with @ has no file (unix(7), abstract).
    if name[0] == UInt8(ascii: "@") { name[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        // Whoever does not read must not hold the service up.
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        _ = message.withCString { sendto(descriptor, $0, strlen($0), flags, address, length) }
      }
    }
  }
}
