import PostgreSQL
import Values

/// The message and exit code of a program that ends with an error (`Runs.docc`, Named points, "How
/// an error gets its code").
public struct Failure {
  /// One sentence: what happened, where, and what to do.
  public let message: String
  /// The exit code.
  public let exitReason: ExitReason

  /// Derives both from an error of any room.
  /// - Parameter interruption: tells whether a signal caused the error
  public init(_ error: any Error, interruption: Interruption? = nil) {
    let reported = error as? any ReportedError
    if let interruption, interruption.isRequested, reported?.exitReason != .fault {
      let isTerminated = interruption.signal == 15
      exitReason = isTerminated ? .terminated : .interrupted
      message =
        (error as? JobError)?.message
        ?? "\(isTerminated ? "stopped by SIGTERM" : "interrupted"); everything done so far is committed, the next run goes on from there"
      return
    }
    exitReason = reported?.exitReason ?? .fault
    guard let reported else {
      message = "\(error)"
      return
    }
    message = reported.report + (reported.remedy.map { "; " + $0 } ?? "")
  }
}
