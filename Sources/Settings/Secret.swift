/// A text that only its user may see, such as a password.
///
/// Descriptions, dumps and mirrors show `***`. Only ``value`` contains the secret.
public struct Secret: Sendable, Hashable {
  /// The secret. Never print it.
  public let value: String

  /// That secret.
  public init(_ value: String) { self.value = value }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The mask.
  public var description: String { DatabaseURI.mask }
  /// The mask.
  public var debugDescription: String { DatabaseURI.mask }
  /// No children, so that `dump` shows nothing else.
  public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
