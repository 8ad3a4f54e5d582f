import Foundation
import TestSupport
import Testing

/// The programs of the day, each of which is killed now and then.
extension SoakDay {
  private func life(_ random: inout Seeded) -> Double { plan.life * Double.random(in: 0.3...1.7, using: &random) }

  /// A follower that is killed, frozen for longer than others wait, and stopped, again and again.
  func follow(_ seed: UInt64) throws {
    var random = Seeded(seed: seed)
    while !isOver {
      let follower = try database.start(["follow"], environment: environment())
      count("followers")
      sleep(life(&random))
      switch random.below(4) {
      case 0 where !isOver:
        follower.send(SIGSTOP)
        count("frozen")
        sleep(Double.random(in: 7...10, using: &random))
        follower.send(SIGCONT)
        sleep(life(&random))
        try stop(follower)
      case 1: try stop(follower)
      default:
        follower.send(SIGKILL)
        count("followers killed")
        _ = try follower.finish()
      }
    }
  }

  private func stop(_ follower: Running) throws {
    follower.send(SIGTERM)
    let outcome = try follower.finish()
    guard outcome.status == 143 else { throw Failed("follow ended with \(outcome.status): \(outcome.errors.suffix(1000))") }
  }

  /// The service, which follows, too. It is killed; the last one stays.
  func serve(_ seed: UInt64, _ folder: Scratch) throws {
    var random = Seeded(seed: seed)
    while true {
      let running = try RunningService(
        database.uri, folder: folder,
        environment: environment(["WAZO_CALL_LOGS_FOLLOW": "true", "WAZO_CALL_LOGS_DEFAULT_TENANT": tenant]))
      count("services")
      url.with { $0 = running.url }
      sleep(life(&random))
      if isOver { return service.with { $0 = running } }
      url.with { $0 = nil }
      running.send(SIGKILL)
      count("services killed")
      _ = try running.finish()
    }
  }

  /// Nightly runs, purges of CELs and deletions of ranges, some of them killed.
  func work(_ seed: UInt64) throws {
    var random = Seeded(seed: seed)
    let purge = ["purge", "--table", "cel", "--archive-dir", folder.path + "/archives", "--yes", "--before"]
    while !isOver {
      let (from, to) = (time(&random), time(&random))
      let verb = random.pick(["generate", "generate", "delete", "purge"])
      var words = [verb]
      if verb == "purge" { words = purge + [from] }
      // A day of 100,000 calls would be spent with deletions otherwise.
      if verb == "delete" { words += ["--from", min(from, to), "--to", later(min(from, to), minutes: random.pick([1, 3, 10]))] }
      let running = try database.start(words, environment: environment())
      count(verb)
      let isKilled = random.oneIn(4)
      if isKilled {
        sleep(Double.random(in: 0...1.5, using: &random))
        if running.isRunning {
          running.send(SIGKILL)
          count("\(verb) killed")
        }
      }
      let outcome = try running.finish(within: SoakDay.limit)
      // 75: a follower that was frozen held a lock.
      guard [0, 75].contains(outcome.status) || isKilled && outcome.status == 137 else {
        throw Failed("\(words) ended with \(outcome.status): \(outcome.errors.suffix(1000))")
      }
      if outcome.status == 75 { count("\(verb) gave up") }
      sleep(Double.random(in: 0...(plan.seconds / 40), using: &random))
    }
  }

  private func later(_ time: String, minutes: Int) -> String {
    guard let date = try? Date(time, strategy: .iso8601) else { return time }
    return date.addingTimeInterval(Double(minutes) * 60).ISO8601Format()
  }

  // MARK: Readers

  /// Somebody who looks at lists.
  func look(_ seed: UInt64, token: String) throws {
    var random = Seeded(seed: seed)
    while !isOver {
      let query = random.pick(["", "&offset=100", "&search=10", "&call_direction=internal&order=duration", "&tags=x"])
      if let url = url.with({ $0 }) {
        let answer = try? RunningService.ask(url, "/cdr?recurse=true&limit=20\(query)", token: token)
        switch answer?.status {
        case 200: count("lists")
        case 503: count("lists refused")
        case nil: count("lists cut off")
        case let status?:
          throw Failed("a list is answered by \(status): \(String(decoding: answer?.body ?? Data(), as: UTF8.self))")
        }
      }
      sleep(Double.random(in: 0...0.5, using: &random))
    }
  }

  /// Somebody who wants to know of each new call log, until `isDone`.
  func listen(_ seed: UInt64, _ reader: StreamReader, until isDone: () -> Bool) {
    var random = Seeded(seed: seed)
    while !isDone() {
      if let url = url.with({ $0 }) {
        reader.listen(url, seconds: Double.random(in: 0.1...(random.oneIn(3) ? 10 : 2), using: &random))
      } else {
        Thread.sleep(forTimeInterval: 0.05)
      }
    }
  }
}
