import PostgreSQL
import Values

/// What the program says when it ends with an error, and the exit code.
public struct Failure {
  /// One sentence: what, where, how to mend it.
  public let message: String
  /// The exit code.
  public let exitReason: ExitReason

  /// Reads an error of any room.
  /// - Parameter interruption: tells whether a statement was given up because a signal came
  public init(_ error: any Error, interruption: Interruption? = nil) {
    let reported = error as? any ReportedError
    if let interruption, interruption.isRequested, reported?.exitReason != .fault {
      let isTerminated = interruption.signal == 15
      exitReason = isTerminated ? .terminated : .interrupted
      message =
        (error as? JobError)?.message
        ?? "\(isTerminated ? "stopped by SIGTERM" : "interrupted"); what is done is committed, the next run goes on from there"
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
