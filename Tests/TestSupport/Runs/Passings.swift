import Runs
import Synchronization

/// Counts passings of points; for closures that run on any thread.
package final class Passings: Sendable {
  private let counts = Mutex<[Point: Int]>([:])

  package init() {}

  /// The number of this passing, from 1.
  package func count(_ point: Point) -> Int {
    counts.withLock { counts in
      counts[point, default: 0] += 1
      return counts[point, default: 0]
    }
  }

  package var all: [Point: Int] { counts.withLock { $0 } }
}

/// Does something once, when a run comes by a point.
package final class Once: Sendable {
  private let isDone = Mutex(false)
  private let point: Point
  private let action: @Sendable () throws -> Void

  package init(_ point: Point, _ action: @escaping @Sendable () throws -> Void) { (self.point, self.action) = (point, action) }

  package var wasReached: Bool { isDone.withLock { $0 } }

  @Sendable
  package func reached(_ point: Point) throws {
    guard point == self.point else { return }
    let isFirst = isDone.withLock { done in
      defer { done = true }
      return !done
    }
    if isFirst { try action() }
  }
}
