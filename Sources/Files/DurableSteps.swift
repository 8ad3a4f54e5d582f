import Foundation
import Synchronization

/// A step whose order on the disk matters: content comes before its name, and a name comes before
/// everything that relies on it.
package enum DurableStep {
  /// The content of a file, or the names in a folder, are durable.
  case synced
  /// A file has its final name.
  case named
  /// A folder was created.
  case made

  /// Reports the step to tests. Does nothing in a release build.
  @inline(__always)
  package func note(_ path: @autoclosure () -> String) {
    #if NAMED_POINTS
      DurableSteps.note(self, path())
    #endif
  }

  /// Makes a file or folder durable (fsync).
  /// - Returns: false if the system call failed; `errno` holds the reason
  package static func sync(_ descriptor: Int32, _ path: @autoclosure () -> String) -> Bool {
    guard fsync(descriptor) == 0 else { return false }
    DurableStep.synced.note(path())
    return true
  }
}

#if NAMED_POINTS
  /// Records for a test the order of durable steps below a folder. The file system cannot report
  /// that order afterwards.
  public final class DurableSteps: Sendable {
    private static let all = Mutex<[DurableSteps]>([])
    private let root: String
    private let kept = Mutex<[String]>([])

    /// Starts recording the steps below `root`.
    public init(below root: String) {
      self.root = root
      DurableSteps.all.withLock { $0.append(self) }
    }

    /// The steps so far, such as `synced /…/a.tmp`, with the marks in between.
    public var steps: [String] { kept.withLock { $0 } }

    /// Adds a mark, such as the name of a point that a run has reached.
    public func mark(_ text: String) { kept.withLock { $0.append(text) } }

    /// Stops recording.
    public func stop() { DurableSteps.all.withLock { all in all.removeAll { $0 === self } } }

    fileprivate static func note(_ step: DurableStep, _ path: String) {
      for steps in all.withLock({ $0 }) where path == steps.root || path.hasPrefix(steps.root + "/") {
        steps.mark("\(step) \(path)")
      }
    }
  }
#endif
