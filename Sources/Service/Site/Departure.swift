import NIOCore

/// Learns that a client goes away while its answer is not begun. Hummingbird tells it only to the
/// body of an answer.
final class Departure: ChannelInboundHandler, RemovableChannelHandler, Sendable {
  typealias InboundIn = Any

  private let onGone: @Sendable () -> Void

  private init(_ onGone: @escaping @Sendable () -> Void) { self.onGone = onGone }

  /// Does something, and calls something else if the client goes away meanwhile.
  static func watched<Value: Sendable>(
    _ channel: any Channel, onGone: @escaping @Sendable () -> Void, _ body: () async throws -> Value
  ) async throws -> Value {
    let departure = Departure(onGone)
    do {
      try await channel.pipeline.addHandler(departure, position: .first).get()
    } catch {
      // The connection is closed already.
      onGone()
      return try await body()
    }
    defer { channel.pipeline.removeHandler(departure, promise: nil) }
    return try await body()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent { onGone() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    onGone()
    context.fireChannelInactive()
  }
}
