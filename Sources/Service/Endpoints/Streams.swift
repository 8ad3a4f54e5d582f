import HTTPTypes
import Hummingbird
import Lanes
import NIOCore

/// Answers that are sent while they are made.
enum Streams {
  /// An answer of a stream. It begins when the first piece is there, so that an error before it
  /// still becomes an answer of its own.
  ///
  /// An error after it breaks the connection off: a client must not take half an answer for all.
  static func response(_ stream: LaneStream, _ visit: Visit, _ type: String) async throws -> Response {
    let first = try await Departure.watched(visit.channel, onGone: { stream.giveUp() }) { try await stream.next() }
    if visit.request.method == .head {
      stream.giveUp()
      return Response(status: .ok, headers: [.contentType: type])
    }
    let (request, note, channel) = (visit.request, visit.note, visit.channel)
    note.becomesStream()
    // The writer may be waiting for a socket that nobody reads.
    stream.onFailure { channel.close(promise: nil) }
    let end = StreamEnd(stream: stream, note: note)
    let body = ResponseBody { writer in
      defer { end.come() }
      do {
        try await request.body.consumeWithInboundCloseHandler { _ in
          var piece = first
          while let bytes = piece {
            try await writer.write(ByteBuffer(bytes: bytes))
            piece = try await stream.next()
          }
        } onInboundClosed: {
          stream.giveUp()
        }
      } catch {
        stream.giveUp()
        throw error
      }
      try await writer.finish(nil)
    }
    // Whoever watches whether the client goes away reads the connection to its end.
    return Response(status: .ok, headers: [.contentType: type, .connection: "close"], body: body)
  }
}

/// Ends a stream with its answer, also where the client is gone before its first byte: then nobody
/// asks for the body.
private final class StreamEnd: Sendable {
  private let stream: LaneStream
  private let note: AccessNote

  init(stream: LaneStream, note: AccessNote) { (self.stream, self.note) = (stream, note) }

  deinit { come() }

  func come() {
    stream.giveUp()
    note.ended()
  }
}
