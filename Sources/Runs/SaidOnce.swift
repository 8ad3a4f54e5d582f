import Synchronization

/// The messages that a run has logged already, over all its workers.
package final class SaidOnce: Sendable {
  private let said = Mutex<Set<String>>([])

  /// Starts with no message.
  package init() {}

  /// Whether this is the first call with `key` in this run.
  package func isFirst(_ key: String) -> Bool { said.withLock { $0.insert(key).inserted } }
}
