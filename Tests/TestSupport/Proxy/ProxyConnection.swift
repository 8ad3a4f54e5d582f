import Foundation
import Synchronization

/// One connection through a proxy: a thread for each direction, which knows as much of the protocol
/// as it takes to see where statements and answers end.
final class ProxyConnection: Sendable {
  private let client: Int32
  private let server: Int32
  private let state: ProxyState
  private let directions = Atomic<Int>(2)
  private let losesAnswer = Atomic<Bool>(false)
  private let isSilent = Atomic<Bool>(false)
  /// Whether the server has sent a message, and not only answers to requests for encryption.
  private let hasBegun = Atomic<Bool>(false)

  /// Codes that stand where a startup packet has its version.
  private enum Code {
    static let cancel: Int32 = 80_877_102
    static let ssl: Int32 = 80_877_103
    static let gss: Int32 = 80_877_104
  }

  init(client: Int32, server: Int32, state: ProxyState) {
    (self.client, self.server, self.state) = (client, server, state)
  }

  func start() {
    state.opened(self)
    Thread.detachNewThread {
      self.forwardStatements()
      self.finished()
    }
    Thread.detachNewThread {
      self.forwardAnswers()
      self.finished()
    }
  }

  /// Ends both sides, as a broken network would.
  func cut() {
    shutdown(client, Int32(SHUT_RDWR))
    shutdown(server, Int32(SHUT_RDWR))
  }

  func fallSilent() { isSilent.store(true, ordering: .releasing) }

  /// Waits for the end of the proxy where nothing is passed on any more.
  private func maySpeak() -> Bool {
    while isSilent.load(ordering: .acquiring) {
      if state.hasEnded { return false }
      usleep(20_000)
    }
    return true
  }

  private func finished() {
    cut()
    // Only the last one: a number that is closed may be given out again at once.
    guard directions.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
    state.closed(self)
    close(client)
    close(server)
  }

  // MARK: To the server

  private func forwardStatements() {
    guard forwardStart() else { return }
    var cutsAfterSync = false
    while let type = UnixSocket.read(client, 1), let length = UnixSocket.read(client, 4) {
      let body = UnixSocket.number(length) - 4
      guard body >= 0, let content = UnixSocket.read(client, Int(body)) else { return }
      if let statement = statement(type[0], content) {
        switch state.moment(of: statement) {
        case nil: break
        case .before: return
        case .answerLost: losesAnswer.store(true, ordering: .releasing)
        case .atOnce: cutsAfterSync = true
        }
      }
      guard maySpeak(), UnixSocket.write(server, type + length + content) else { return }
      // A prepared statement is done only when the Sync after it has arrived.
      if cutsAfterSync, type[0] == UInt8(ascii: "Q") || type[0] == UInt8(ascii: "S") { return }
    }
  }

  /// The packets before the first message have no type. A request for encryption is answered with
  /// one byte, by the other direction.
  private func forwardStart() -> Bool {
    while let length = UnixSocket.read(client, 4) {
      let body = UnixSocket.number(length) - 4
      guard body >= 4, body < 100_000, let content = UnixSocket.read(client, Int(body)), maySpeak(),
        UnixSocket.write(server, length + content)
      else { return false }
      switch UnixSocket.number(Array(content[..<4])) {
      case Code.ssl, Code.gss: continue
      case Code.cancel:
        // The server closes when it has done it.
        _ = UnixSocket.read(client, 1)
        return false
      default:
        state.countConnection()
        return true
      }
    }
    return false
  }

  private func statement(_ type: UInt8, _ content: [UInt8]) -> String? {
    switch type {
    case UInt8(ascii: "Q"): return String(decoding: content.prefix { $0 != 0 }, as: UTF8.self)
    case UInt8(ascii: "P"):
      let name = content.prefix { $0 != 0 }.count
      return String(decoding: content.dropFirst(name + 1).prefix { $0 != 0 }, as: UTF8.self)
    default: return nil
    }
  }

  // MARK: From the server

  private func forwardAnswers() {
    // The answer to a request for encryption is one byte without a length. Private servers have
    // none, so it is N.
    while let type = UnixSocket.read(server, 1) {
      if !hasBegun.load(ordering: .relaxed) {
        if type[0] == UInt8(ascii: "N") {
          guard UnixSocket.write(client, type) else { return }
          continue
        }
        hasBegun.store(true, ordering: .relaxed)
      }
      guard let length = UnixSocket.read(server, 4) else { return }
      let body = UnixSocket.number(length) - 4
      guard body >= 0, let content = UnixSocket.read(server, Int(body)) else { return }
      if losesAnswer.load(ordering: .acquiring) {
        // ReadyForQuery: the statement is done, and so is its transaction if that was COMMIT.
        // CopyInResponse: the server waits for data that the client would never send.
        if type[0] == UInt8(ascii: "Z") || type[0] == UInt8(ascii: "G") { return }
        continue
      }
      guard maySpeak(), UnixSocket.write(client, type + length + content) else { return }
    }
  }
}
