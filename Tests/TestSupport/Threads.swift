import Foundation
import Synchronization
import Testing

/// Runs closures on threads of their own and waits for all; gives what they threw.
package func atOnce(_ bodies: [@Sendable () throws -> Void]) -> [any Error] {
  let group = DispatchGroup()
  let errors = Locked<[any Error]>([])
  for body in bodies {
    group.enter()
    Thread.detachNewThread {
      defer { group.leave() }
      do { try body() } catch { errors.with { $0.append(error) } }
    }
  }
  group.wait()
  return errors.with { $0 }
}

/// A value behind a lock.
package final class Locked<Value>: @unchecked Sendable {
  // Unchecked: every access goes through the lock. `Mutex` does not give out values that are not
  // Sendable, such as a test database.
  private var value: Value
  private let lock = NSLock()
  package init(_ value: Value) { self.value = value }
  package func with<T>(_ body: (inout Value) throws -> T) rethrows -> T {
    lock.lock()
    defer { lock.unlock() }
    return try body(&value)
  }
}

/// Does something again and again in a thread of its own, until it is told to stop.
package final class Repeating: Sendable {
  private let isStopped = Atomic<Bool>(false)
  private let hasEnded = Atomic<Bool>(false)

  /// - Parameter body: gives the seconds until the next time; nil for never
  package init(_ body: @escaping @Sendable () -> Double?) {
    Thread.detachNewThread { [self] in
      while !isStopped.load(ordering: .relaxed), let pause = body() {
        Thread.sleep(forTimeInterval: pause)
      }
      hasEnded.store(true, ordering: .releasing)
    }
  }

  /// Waits for the last time to be over.
  package func stop() {
    isStopped.store(true, ordering: .relaxed)
    while !hasEnded.load(ordering: .acquiring) { Thread.sleep(forTimeInterval: 0.005) }
  }
}

/// Waits for what the server does in its own time.
package func waitUntil(_ what: String, _ location: SourceLocation = #_sourceLocation, _ holds: () throws -> Bool) throws {
  for _ in 0..<600 {
    if try holds() { return }
    Thread.sleep(forTimeInterval: 0.05)
  }
  Issue.record("waited in vain until \(what)", sourceLocation: location)
}
