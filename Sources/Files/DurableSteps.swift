import Foundation
import Synchronization

/// What must reach the disk in a certain order: a file's content before its name, a name before whatever relies on it.
package enum DurableStep {
  /// A file or folder is durable: a file's content, a folder's names.
  case synced
  /// A file has its final name.
  case named
  /// A folder was made.
  case made

  /// Tells tests that this was done with a path; nothing in a release.
  @inline(__always)
  package func note(_ path: @autoclosure () -> String) {
    #if NAMED_POINTS
      DurableSteps.note(self, path())
    #endif
  }

  /// Makes a file or folder durable.
  /// - Returns: false where the system could not, with `errno` set
  package static func sync(_ descriptor: Int32, _ path: @autoclosure () -> String) -> Bool {
    guard fsync(descriptor) == 0 else { return false }
    DurableStep.synced.note(path())
    return true
  }
}

#if NAMED_POINTS
  /// Keeps for a test in which order archives below a folder did what must be durable: the file system does not tell afterwards.
  public final class DurableSteps: Sendable {
    private static let all = Mutex<[DurableSteps]>([])
    private let root: String
    private let kept = Mutex<[String]>([])

    /// Watches from now on what happens in that folder.
    public init(below root: String) {
      self.root = root
      DurableSteps.all.withLock { $0.append(self) }
    }

    /// What happened so far, such as `synced /…/a.tmp`, with what was marked in between.
    public var steps: [String] { kept.withLock { $0 } }

    /// Notes that a run has come so far.
    public func mark(_ text: String) { kept.withLock { $0.append(text) } }

    /// Watches no longer.
    public func stop() { DurableSteps.all.withLock { all in all.removeAll { $0 === self } } }

    fileprivate static func note(_ step: DurableStep, _ path: String) {
      for steps in all.withLock({ $0 }) where path == steps.root || path.hasPrefix(steps.root + "/") {
        steps.mark("\(step) \(path)")
      }
    }
  }
#endif
