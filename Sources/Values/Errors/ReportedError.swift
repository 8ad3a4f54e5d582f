/// An error that knows what the program should say about it, and the code with which the program should end.
///
/// Each room's own error conforms, so that no room needs to know the error types of others.
public protocol ReportedError: Error {
  /// One sentence: what happened, and where.
  var report: String { get }
  /// What a person can do about it, as the end of that sentence; nil where the message says it.
  var remedy: String? { get }
  /// The code with which the program ends.
  var exitReason: ExitReason { get }
}

extension ReportedError {
  /// No remedy beside the message.
  public var remedy: String? { nil }
}
