import Archive
import CallLogs
import Files

/// What a run did to audio files, or would do.
public struct AudioSummary: Equatable, Sendable {
  /// Files removed.
  public var removed = 0
  /// Their length in bytes.
  public var bytes = 0
  /// Files that were already gone.
  public var missing = 0
  /// Files that stay, because another recording has the same file.
  public var named = 0
  /// Files that are refused: outside of the recordings folder, or not a regular file.
  public var refused = 0
  /// Files that could not be removed. The next purge tries again.
  public var failed = 0
  /// Files in the queue at the end, with those that failed.
  public var waiting = 0
  /// Why no file could be removed at all; nil if the recordings folder is there.
  public var obstacle: String?

  /// A summary of no files.
  public init() {}

  mutating func add(_ outcome: RecordingsFolder.Outcome) {
    switch outcome {
    case .removed(let bytes):
      removed += 1
      self.bytes += bytes
    case .missing: missing += 1
    case .refused: refused += 1
    case .failed: failed += 1
    }
  }
}
