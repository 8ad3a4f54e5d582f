/// An error with a message for the user and an exit code.
///
/// Each target's own errors conform to it, so that no target needs the error types of another.
public protocol ReportedError: Error {
  /// One sentence with the event and its place.
  var report: String { get }
  /// The remedy, as the end of that sentence; nil if the report already contains it.
  var remedy: String? { get }
  /// The reason with which the program ends.
  var exitReason: ExitReason { get }
}

extension ReportedError {
  /// No separate remedy.
  public var remedy: String? { nil }
}
