import PostgreSQL
import Values

#if NAMED_POINTS
  import Foundation
  import PostgreSQL
  import Synchronization

  /// The orders in `WAZO_CALL_LOGS_POINT`, of the form `POINT:PASSING:ACTION`, separated by commas.
  /// Examples for the third passing of after-read: `after-read:3:kill` ends the process as SIGKILL
  /// does, `after-read:3:fail` throws the error of a lost connection, and `after-read:3:wait:0.5`
  /// waits for half a second.
  public final class PointOrders: Sendable {
    private enum Action: Sendable {
      case kill, fail
      case wait(seconds: Double)
    }

    private struct Order: Sendable {
      var point: Point
      var passing: Int
      var action: Action
    }

    private let orders: [Order]
    private let passings = Mutex<[Point: Int]>([:])

    /// The environment's orders. Passings are counted over all workers of the process.
    static let ofEnvironment = Result { try PointOrders(ProcessInfo.processInfo.environment["WAZO_CALL_LOGS_POINT"] ?? "") }

    /// Reads orders.
    /// - Throws: ``JobError`` (64) that names the order it cannot read.
    public init(_ text: String) throws {
      orders = try text.split(separator: ",").map { word in
        let parts = word.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 3, let point = Point(rawValue: String(parts[0])), let passing = Int(parts[1]), passing > 0,
          let action = PointOrders.action(parts[2...])
        else {
          throw JobError(
            .usage,
            "WAZO_CALL_LOGS_POINT takes POINT:PASSING:ACTION, not \(word): a point is one of \(Point.allCases.map(\.rawValue).joined(separator: ", ")); an action kill, fail or wait:SECONDS"
          )
        }
        return Order(point: point, passing: passing, action: action)
      }
    }

    private static func action(_ parts: ArraySlice<Substring>) -> Action? {
      switch (parts.first, parts.count) {
      case ("kill", 1): return .kill
      case ("fail", 1): return .fail
      case ("wait", 2): return parts.last.flatMap { Double($0) }.map { .wait(seconds: $0) }
      default: return nil
      }
    }

    /// Counts the passing and executes its orders.
    /// - Throws: `PostgreSQLError` of a lost connection; after COMMIT, of a COMMIT whose answer was
    ///   lost.
    @Sendable
    public func reached(_ point: Point) throws {
      guard !orders.isEmpty else { return }
      let passing = passings.withLock { counts in
        counts[point, default: 0] += 1
        return counts[point, default: 0]
      }
      for order in orders where order.point == point && order.passing == passing {
        switch order.action {
        case .kill: kill(getpid(), SIGKILL)
        case .wait(let seconds): Thread.sleep(forTimeInterval: seconds)
        case .fail: throw PointOrders.lost(at: point)
        }
      }
    }

    /// The error of a connection that breaks at this point.
    public static func lost(at point: Point) -> PostgreSQLError {
      PostgreSQLError(
        kind: point == .afterCommit ? .commitUnknown : .connectionLost, purpose: "Passing \(point.rawValue)",
        message: "ordered by a test")
    }
  }
#endif
