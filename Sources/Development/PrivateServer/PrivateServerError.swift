/// Why a private server cannot start or cannot do its work.
public struct PrivateServerError: Error, Sendable, CustomStringConvertible {
  /// What happened and what to do about it.
  public var description: String

  init(_ description: String) {
    self.description = description
  }
}
