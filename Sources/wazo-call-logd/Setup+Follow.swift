import Runs
import RunSetup
import Settings
import Values

extension Setup {
  /// The follower; nil where the settings leave it out.
  /// - Parameters:
  ///   - batch: the settings of runs
  ///   - progress: what it did is noted there
  ///   - wrote: called after each commit of call logs
  /// - Throws: ``JobError`` (65): a directory of users that cannot be used
  func follower(
    _ batch: Settings, _ progress: FollowProgress, wrote: @escaping @Sendable () -> Void
  ) throws -> FollowWork? {
    let decision = batch.followDecision()
    guard decision.isOn else {
      log.notice("no call logs are made as calls end: \(decision.reason)")
      return nil
    }
    var run = batch
    // The service's own sources of its databases win.
    (run.dbURI, run.celDBURI) = (settings.dbURI, settings.celDBURI)
    return FollowWork(
      try RunSetup.run(run, program: Program.name), history: batch.followHistory, progress, log: log, wrote: wrote)
  }
}
