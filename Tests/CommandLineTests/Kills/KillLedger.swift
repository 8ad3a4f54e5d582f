import TestSupport
import Foundation
import Runs
import Synchronization

/// How a run is killed.
enum Killing: Sendable {
  /// By itself, when it comes by a point for the so-manieth time.
  case point(Point, passing: Int)
  /// From outside, so many seconds after its start.
  case moment(Double)
  /// By SIGINT or SIGTERM so many seconds after its start: no kill, for the run may bring things to
  /// an end.
  case signal(Int32, Double)
}

/// What kills there have been in a soak, over all its threads, and what is due next.
final class KillLedger: Sendable {
  private struct Values {
    var random: Seeded
    var atPoints: [Point: [Int: Int]] = [:]
    var atMoments = 0
    var interruptions = 0
    var faults = 0
    var runs = 0
    var durations: [String: Double] = [:]
    var comparisons = 0
    var differences: [String] = []
  }

  let goal: Int
  let seed: UInt64
  private let values: Mutex<Values>

  init(goal: Int, random: Seeded = Seeded()) {
    self.goal = goal
    seed = random.seed
    values = Mutex(Values(random: random))
  }

  var kills: Int { values.withLock { $0.atPoints.values.reduce($0.atMoments) { $0 + $1.values.reduce(0, +) } } }
  var isDone: Bool { kills >= goal }
  var comparisons: Int { values.withLock(\.comparisons) }
  var differences: [String] { values.withLock(\.differences) }

  /// Points at which nothing was killed yet.
  var untouched: [Point] {
    values.withLock { values in Point.allCases.filter { !$0.isOfArchives && values.atPoints[$0] == nil } }
  }

  func draw<T>(_ body: (inout Seeded) -> T) -> T { values.withLock { body(&$0.random) } }

  /// The killing that is due for a verb: of the points that it comes by the one with the fewest
  /// kills so far, or any moment of its run.
  func next(for verb: [String], isApart: Bool) -> Killing {
    values.withLock { values in
      if values.random.oneIn(4) {
        let seconds = Double.random(in: 0...(values.durations[verb[0]] ?? 0.5), using: &values.random)
        guard values.random.oneIn(4) else { return .moment(seconds) }
        return .signal(values.random.oneIn(2) ? SIGINT : SIGTERM, seconds)
      }
      let points = Point.allCases.filter { KillLedger.isOnTheWay($0, of: verb[0], isApart: isApart) }
      let kills = points.map { values.atPoints[$0]?.values.reduce(0, +) ?? 0 }
      let least = kills.min() ?? 0
      let candidates = zip(points, kills).filter { $0.1 == least }.map(\.0)
      guard let point = candidates.randomElement(using: &values.random) else { return .moment(0.2) }
      var passing = 1
      while least > 0, passing < 10, values.random.oneIn(2) { passing += 1 }
      return .point(point, passing: passing)
    }
  }

  /// In one of four runs a point, and its passing, at which the connection seems to break before
  /// the run is killed: what is done to make up for it is killed, too.
  func fault(for verb: [String], isApart: Bool) -> (point: Point, passing: Int)? {
    values.withLock { values in
      guard values.random.oneIn(4) else { return nil }
      // A run that cannot even begin may say so and end.
      let points = Point.allCases.filter { $0 != .afterClaim && KillLedger.isOnTheWay($0, of: verb[0], isApart: isApart) }
      guard let point = points.randomElement(using: &values.random) else { return nil }
      values.faults += 1
      return (point, Int.random(in: 1...3, using: &values.random))
    }
  }

  private static func isOnTheWay(_ point: Point, of verb: String, isApart: Bool) -> Bool {
    switch point {
    case .beforeOldLinks, .afterOldLinks: isApart
    case .beforeDelete, .afterDelete: verb == "delete"
    case .afterClaim, .beforeCommit, .afterCommit: true
    case let point where point.isOfArchives: false
    default: verb != "delete"
    }
  }

  /// Enters a run that ended as it was meant to.
  func killed(_ killing: Killing) {
    values.withLock { values in
      values.runs += 1
      switch killing {
      case .point(let point, let passing): values.atPoints[point, default: [:]][passing, default: 0] += 1
      case .moment: values.atMoments += 1
      case .signal: values.interruptions += 1
      }
    }
  }

  func ended(_ verb: [String], seconds: Double) {
    values.withLock { values in
      values.runs += 1
      values.durations[verb[0]] = max(seconds, values.durations[verb[0]] ?? 0)
    }
  }

  /// Enters what a comparison showed; an empty text is no difference.
  func compared(_ difference: String) {
    values.withLock { values in
      values.comparisons += 1
      if !difference.isEmpty { values.differences.append(difference) }
    }
  }

  /// How many kills, where, and what came of it.
  var report: String {
    let kills = kills
    return values.withLock { values in
      let points = Point.allCases.map { point in
        let passings = values.atPoints[point] ?? [:]
        let last = passings.keys.max() ?? 0
        return "\(point.rawValue) \(passings.values.reduce(0, +))" + (last > 1 ? " (passings to \(last))" : "")
      }
      return """
        \(kills) kills in \(values.runs) runs, seed \(seed)
        at points: \(points.joined(separator: ", ")); at random moments: \(values.atMoments); also \(values.interruptions) SIGINT and SIGTERM, \(values.faults) runs with a lost connection
        \(values.comparisons) comparisons with undisturbed tables, \(values.differences.count) differences
        """
    }
  }
}
