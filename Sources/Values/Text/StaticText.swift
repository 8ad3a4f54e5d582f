/// The text of a literal. It lasts as long as the program, so every thread may use it. A ``Text``
/// belongs to one thread.
public struct StaticText: Sendable, ExpressibleByStringLiteral {
  private let literal: StaticString

  /// The text of `literal`.
  public init(stringLiteral literal: StaticString) { self.literal = literal }

  /// The literal as a ``Text``.
  public var text: Text { Text(stringLiteral: literal) }
}
