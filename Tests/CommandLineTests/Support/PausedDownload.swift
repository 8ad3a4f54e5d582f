import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization

/// A download that stops after its first bytes, until the test lets it go on.
final class PausedDownload: HTTPClientResponseDelegate, Sendable {
  private struct State {
    var status: Int?
    var body = Data()
    var goOn: EventLoopPromise<Void>?
    var task: HTTPClient.Task<Void>?
  }
  private let state = Mutex(State())

  var task: HTTPClient.Task<Void>? {
    get { state.withLock { $0.task } }
    set { state.withLock { $0.task = newValue } }
  }
  /// The answer's code, once its head has come.
  var status: Int? { state.withLock { $0.status } }
  /// How many bytes of its body have come.
  var count: Int { state.withLock { $0.body.count } }

  /// Reads the rest.
  func finish() throws -> Data {
    let (goOn, task) = state.withLock { ($0.goOn, $0.task) }
    goOn?.succeed()
    try task?.wait()
    return state.withLock { $0.body }
  }

  func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
    state.withLock { $0.status = Int(head.status.code) }
    return task.eventLoop.makeSucceededVoidFuture()
  }

  func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
    state.withLock { state in
      state.body.append(contentsOf: buffer.readableBytesView)
      if let goOn = state.goOn { return goOn.futureResult }
      let goOn = task.eventLoop.makePromise(of: Void.self)
      state.goOn = goOn
      return goOn.futureResult
    }
  }

  func didFinishRequest(task: HTTPClient.Task<Void>) throws {}
}
