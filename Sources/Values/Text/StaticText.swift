/// The text of a literal. It lasts as long as the program, so that it may go to any thread, which a ``Text`` may not.
public struct StaticText: Sendable, ExpressibleByStringLiteral {
  private let literal: StaticString

  /// That literal.
  public init(stringLiteral literal: StaticString) { self.literal = literal }

  /// The same as a text.
  public var text: Text { Text(stringLiteral: literal) }
}
