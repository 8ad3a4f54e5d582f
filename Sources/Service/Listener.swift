import Glibc
import NIOCore
import ServiceLifecycle
import Values

/// A server that listens. It says in a sentence why it cannot.
struct Listener<Server: ServiceLifecycle.Service>: ServiceLifecycle.Service {
  /// What listens, at the beginning of a sentence.
  let name: String
  let host: String
  let port: Int
  /// The section of the settings with the address, and the beginning of its keys.
  let setting: String
  let server: Server

  func run() async throws {
    do {
      try await server.run()
    } catch let error as IOError {
      guard let refusal = refusal(errno: error.errnoCode) else { throw error }
      throw refusal
    } catch is SocketAddressError.UnknownHost {
      throw JobError(.configuration, "\(place): no such host; set \(setting)listen")
    }
  }

  private var place: String {
    "\(name) cannot listen at \(host.contains(":") ? "[\(host)]" : host):\(port)"
  }

  /// The errors that bind(2) has for addresses.
  private func refusal(errno: Int32) -> JobError? {
    switch errno {
    case EADDRINUSE:
      JobError(.busy, "\(place): another program uses the port; end that program, or set \(setting)port")
    case EACCES:
      JobError(.permission, "\(place): this user may not use the port; set \(setting)port to 1024 or more")
    case EADDRNOTAVAIL, EAFNOSUPPORT:
      JobError(.configuration, "\(place): this machine does not have the address; set \(setting)listen")
    default: nil
    }
  }
}
