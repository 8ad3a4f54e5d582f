import Values

/// Whose call logs a list is about.
public enum ListScope: Equatable, Sendable {
  /// Everybody's: `/cdr`.
  case everybody
  /// Those that this user made, or that reached this user: `/users/{uuid}/cdr`.
  case user(UUIDValue)
  /// Those in which whoever asks took part in any way: `/users/me/cdr`.
  case me(UUIDValue)
}
