/// Why a private server cannot be had, or cannot do what was asked.
public struct PrivateServerError: Error, Sendable, CustomStringConvertible {
  /// What happened and what to do about it.
  public var description: String

  init(_ description: String) {
    self.description = description
  }
}
