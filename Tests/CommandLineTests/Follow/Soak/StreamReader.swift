import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TestSupport

/// A client of the stream of call logs that goes away and comes again with the place that it has
/// reached. It keeps what it needs to say whether all came, and in order.
final class StreamReader: Sendable {
  struct State {
    /// The last id of an event, which is the place in the stream.
    var place = "0"
    /// The last content of each call log.
    var contents: [Int64: Int] = [:]
    /// The greatest call log that came of each call.
    var greatest: [String: Int64] = [:]
    var events = 0
    var gaps = 0
    var connections = 0
    /// Call logs that came after a later one of the same call.
    var disorder: [String] = []
  }

  private let state = Locked(State())
  private let token: String

  private static let client: HTTPClient = {
    var configuration = HTTPClient.Configuration.singletonConfiguration
    configuration.timeout.read = nil
    return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
  }()

  init(token: String) { self.token = token }

  var found: State { state.with { $0 } }

  /// Whether these call logs have come with these contents.
  func has(_ contents: [Int64: Int]) -> Bool {
    state.with { state in contents.allSatisfy { state.contents[$0.key] == $0.value } }
  }

  /// Listens for so many seconds at most.
  func listen(_ url: String, seconds: Double) {
    let place = state.with { $0.place }
    guard
      let request = try? HTTPClient.Request(
        url: url + "/cdr/stream?recurse=true", headers: ["X-Auth-Token": token, "Last-Event-ID": place])
    else { return }
    let task = StreamReader.client.execute(request: request, delegate: Connection(self))
    let ended = Locked(false)
    task.futureResult.whenComplete { _ in ended.with { $0 = true } }
    let started = Date()
    while Date().timeIntervalSince(started) < seconds, !ended.with({ $0 }) { Thread.sleep(forTimeInterval: 0.02) }
    task.cancel()
    _ = try? task.wait()
  }

  /// A number that two contents hardly share.
  static func mark(_ content: UnsafeRawBufferPointer) -> Int {
    var hasher = Hasher()
    hasher.combine(bytes: content)
    return hasher.finalize()
  }

  /// Takes an event, as the HTML standard says that a browser does.
  fileprivate func take(_ block: UnsafeRawBufferPointer) {
    state.with { state in
      var isGap = false
      for line in block.pieces(separatedBy: "\n") {
        if line.starts("id: ") { state.place = String(decoding: line.dropFirst(4), as: UTF8.self) }
        if line.starts("event: gap") { isGap = true }
        guard line.starts("data: "), !isGap else { continue }
        let data = UnsafeRawBufferPointer(rebasing: line.dropFirst(6))
        state.events += 1
        let id = Int64(String(decoding: data.dropFirst(6).prefix(20).prefix { (48...57).contains($0) }, as: UTF8.self)) ?? -1
        let call = data.text(after: "\"conversation_id\":\"", upTo: "\"")
        if state.contents.updateValue(StreamReader.mark(data), forKey: id) == nil {
          let before = state.greatest.updateValue(id, forKey: call)
          if let before, before > id { state.disorder.append("\(call): \(id) after \(before)") }
        }
      }
      if isGap { state.gaps += 1 }
    }
  }

  /// One connection.
  private final class Connection: HTTPClientResponseDelegate, Sendable {
    private let reader: StreamReader
    private let rest = Locked<[UInt8]>([])
    private let isStream = Locked(false)

    init(_ reader: StreamReader) { self.reader = reader }

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
      if head.status == .ok {
        isStream.with { $0 = true }
        reader.state.with { $0.connections += 1 }
      }
      return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
      guard isStream.with({ $0 }) else { return task.eventLoop.makeSucceededVoidFuture() }
      rest.with { rest in
        rest += buffer.readableBytesView
        let taken = rest.withUnsafeBytes { bytes in
          var blocks = bytes.pieces(separatedBy: "\n\n")
          let last = blocks.removeLast()
          for block in blocks { reader.take(block) }
          return bytes.count - last.count
        }
        rest.removeFirst(taken)
      }
      return task.eventLoop.makeSucceededVoidFuture()
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) throws {}
  }
}

/// Searching in bytes with the C library: a soak reads hundreds of megabytes.
extension UnsafeRawBufferPointer {
  /// Where a text begins.
  func place(of text: StaticString, from start: Int = 0) -> Int? {
    guard let base = baseAddress else { return nil }
    var place = start
    while place + text.utf8CodeUnitCount <= count {
      // The last places are too short for the whole text.
      let left = count - place - text.utf8CodeUnitCount + 1
      guard let found = memchr(base + place, Int32(text.utf8Start.pointee), left) else { return nil }
      place = UnsafeRawPointer(found) - base
      if memcmp(found, text.utf8Start, text.utf8CodeUnitCount) == 0 { return place }
      place += 1
    }
    return nil
  }

  func starts(_ text: StaticString) -> Bool {
    guard let base = baseAddress, count >= text.utf8CodeUnitCount else { return false }
    return memcmp(base, text.utf8Start, text.utf8CodeUnitCount) == 0
  }

  /// The pieces between the separators; the last one is what follows the last separator.
  func pieces(separatedBy text: StaticString) -> [UnsafeRawBufferPointer] {
    var (pieces, start) = ([UnsafeRawBufferPointer](), 0)
    while let end = place(of: text, from: start) {
      pieces.append(UnsafeRawBufferPointer(rebasing: self[start..<end]))
      start = end + text.utf8CodeUnitCount
    }
    return pieces + [UnsafeRawBufferPointer(rebasing: self[start...])]
  }

  /// What stands between two texts; empty where nothing does.
  func text(after first: StaticString, upTo last: StaticString) -> String {
    guard let start = place(of: first).map({ $0 + first.utf8CodeUnitCount }), let end = place(of: last, from: start) else {
      return ""
    }
    return String(decoding: self[start..<end], as: UTF8.self)
  }
}
