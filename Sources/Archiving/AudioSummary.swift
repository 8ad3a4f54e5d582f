import Archive
import CallLogs
import Files

/// What became of audio files, or would.
public struct AudioSummary: Equatable, Sendable {
  /// Files removed.
  public var removed = 0
  /// Their length in bytes.
  public var bytes = 0
  /// Files that were not there any more.
  public var missing = 0
  /// Files that stay, as another recording has the same.
  public var named = 0
  /// Files that are refused: outside of the recordings folder, or none.
  public var refused = 0
  /// Files that could not be removed, and are tried again by the next purge.
  public var failed = 0
  /// Files that are to be removed and still there at the end, those that failed among them.
  public var waiting = 0
  /// Why nothing could be removed at all; nil where the recordings folder is there.
  public var obstacle: String?

  /// Nothing.
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

extension RecordingsFolder {
  /// The folder, or why nothing can be removed from it.
  static func find(_ path: String) -> Result<RecordingsFolder, FileError> {
    do throws(FileError) {
      let folder = try RecordingsFolder(path)
      guard try folder.isEmpty() else { return .success(folder) }
      // Every file would count as gone.
      return .failure(FileError(.inputOutput, "the recordings folder \(path) is empty, as where something is not mounted"))
    } catch {
      return .failure(error)
    }
  }
}
