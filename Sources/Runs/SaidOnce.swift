import Synchronization

/// The things that a run has said already, whichever of its workers said them.
package final class SaidOnce: Sendable {
  private let said = Mutex<Set<String>>([])

  /// Nothing said yet.
  package init() {}

  /// Whether this is the first call with `key` in this run.
  package func isFirst(_ key: String) -> Bool { said.withLock { $0.insert(key).inserted } }
}
