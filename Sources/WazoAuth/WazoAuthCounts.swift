/// What was asked of wazo-auth since the service started.
public struct WazoAuthCounts: Equatable, Sendable {
  /// Questions that needed no request of their own: remembered, or asked by somebody else already.
  public var hits = 0
  /// Questions that needed requests.
  public var misses = 0
  /// Requests to wazo-auth.
  public var requests = 0
  /// Requests that brought no usable answer. A refusal is an answer.
  public var failures = 0

  /// Nothing asked yet.
  public init() {}
}
