import TestSupport
import Testing

@testable import Service

/// Transactions that take numbers of a sequence, and end in any order.
private struct Writers {
  struct Writer {
    var numbers: [Int64] = []
    /// Nil until its first row is written.
    var transaction: Int64?
  }

  var open: [Int: Writer] = [:]
  var visible: Set<Int64> = []
  var sequence: Int64 = 0
  var transactions: Int64 = 100
  private var names = 0

  mutating func step(_ random: inout Seeded) {
    switch random.below(8) {
    case 0, 1:
      names += 1
      open[names] = Writer()
    case 2, 3:
      guard let name = open.keys.sorted().randomElement(using: &random) else { return }
      sequence += 1
      open[name]?.numbers.append(sequence)
    case 4:
      guard let name = open.keys.sorted().randomElement(using: &random), open[name]?.transaction == nil else { return }
      open[name]?.transaction = transactions
      transactions += 1
    default:
      guard let name = open.keys.sorted().randomElement(using: &random), let writer = open.removeValue(forKey: name) else {
        return
      }
      if random.chance(70) { visible.formUnion(writer.numbers) }
    }
  }

  /// What a statement sees that began now; `meanwhile` happens before it has seen all.
  mutating func reading(above floor: Int64, limit: Int, isKnown: Bool, meanwhile: (inout Writers) -> Void) -> FeedReading {
    let all = visible.filter { $0 > floor }.sorted()
    let greatest = visible.max()
    let unknown = FeedReading.Writers.unknown(
      least: open.values.compactMap(\.transaction).min() ?? transactions, next: transactions)
    meanwhile(&self)
    let locks = Set(open.filter { !$0.value.numbers.isEmpty }.keys.map { "3/\($0)" })
    return FeedReading(
      entries: all.suffix(limit).compactMap { FeedEntry(new: $0) }, isPart: all.count > limit, greatest: greatest,
      writers: isKnown ? .known(locks) : unknown)
  }
}

@Suite("The floor of the feed")
struct StreamFloorTests {
  @Test("gives each call log once, and has none left below it that was not given", arguments: [true, false])
  func property(isKnown: Bool) {
    var random = Seeded()
    var rises = 0
    for _ in 0..<100 {
      var writers = Writers()
      for _ in 0..<random.below(40) { writers.step(&random) }
      var now = ContinuousClock.now
      var floor = FeedFloor(writers.reading(above: 0, limit: .max, isKnown: isKnown) { _ in }, at: now)
      let old = writers.visible
      var given: [Int64] = []
      for _ in 0..<60 {
        for _ in 0..<random.below(8) { writers.step(&random) }
        // Nobody takes longer from the first number to the first row, where writers are not known.
        if !isKnown {
          for name in writers.open.keys.sorted() where writers.open[name]?.transaction == nil && random.oneIn(2) {
            writers.open[name]?.transaction = writers.transactions
            writers.transactions += 1
          }
          if writers.open.values.allSatisfy({ $0.transaction != nil || $0.numbers.isEmpty }) { now += .seconds(6) }
        }
        let before = floor.value
        let reading = writers.reading(above: before, limit: .max, isKnown: isKnown) { writers in
          for _ in 0..<random.below(4) { writers.step(&random) }
        }
        let (new, hasGap) = floor.take(reading, at: now)
        given += new.map(\.number)
        if floor.value > before { rises += 1 }
        #expect(!hasGap && new == new.sorted(), "\(random)")
        // Whoever comes again with the floor asks for what is above it, and gets the rest.
        let lost = writers.visible.filter { $0 <= floor.value }.subtracting(old).subtracting(given)
        #expect(lost.isEmpty, "\(lost) below \(floor.value); \(random)")
        let late = writers.open.values.flatMap(\.numbers).filter { $0 <= floor.value }
        #expect(late.isEmpty, "\(late) may still come below \(floor.value); \(random)")
      }
      #expect(Set(given).count == given.count, "twice; \(random)")
      writers.open = [:]
      let last = floor.take(writers.reading(above: floor.value, limit: .max, isKnown: isKnown) { _ in }, at: now).new
      #expect(Set(given + last.map(\.number)) == writers.visible.subtracting(old), "\(random)")
    }
    #expect(rises > 100)
  }

  private func reading(_ numbers: ClosedRange<Int64>, isPart: Bool = false, _ writers: Set<String> = []) -> FeedReading {
    FeedReading(
      entries: numbers.compactMap { FeedEntry(new: $0) }, isPart: isPart, greatest: numbers.upperBound, writers: .known(writers))
  }

  @Test("is exact after a second look where nobody writes, also over many old call logs")
  func second() {
    var floor = FeedFloor(reading(901...1000, isPart: true))
    #expect(floor.value == 900 && floor.isGuess)
    #expect(floor.take(reading(901...1000)).new.isEmpty && floor.value == 1000 && !floor.isGuess)
  }

  @Test("says so where more came than it looks at while a transaction was open")
  func gap() {
    var floor = FeedFloor(reading(1...10, ["3/1"]))
    let (new, hasGap) = floor.take(reading(101...150, isPart: true, ["3/1"]))
    #expect(hasGap && new.count == 50 && floor.value == 100)
  }

  @Test("sinks where call logs were deleted or the database is another one, so that lesser ids are given, too")
  func sinks() {
    var floor = FeedFloor(reading(1...10))
    _ = floor.take(reading(1...10))
    #expect(floor.value == 10)
    _ = floor.take(FeedReading(entries: [], isPart: false, greatest: 3, writers: .known([])))
    #expect(floor.value == 3 && floor.take(reading(4...5)).new.map(\.number) == [4, 5])
  }

  @Test("waits for a standby's transactions, and for those of the server that it becomes")
  func promoted() {
    let start = ContinuousClock.now
    var floor = FeedFloor(
      FeedReading(entries: [], isPart: false, greatest: 10, writers: .unknown(least: 5, next: 9)), at: start)
    var next = FeedReading(entries: [], isPart: false, greatest: 10, writers: .unknown(least: 5, next: 12))
    _ = floor.take(next, at: start + .seconds(6))
    next.writers = .unknown(least: 11, next: 20)
    _ = floor.take(next, at: start + .seconds(7))
    _ = floor.take(next, at: start + .seconds(8))
    #expect(floor.value == 0)
    next.writers = .known([])
    _ = floor.take(next, at: start + .seconds(9))
    _ = floor.take(next, at: start + .seconds(10))
    #expect(floor.value == 10)
  }
}

@Suite("The place of a client")
struct StreamPlaceTests {
  @Test("is below all that it has not got, in whatever order the entries come")
  func property() {
    var random = Seeded()
    for _ in 0..<100 {
      let subscription = Subscription(most: 10_000) {}
      var floor: Int64 = 0
      var unsent: Set<Int64> = []
      var open = Set((1...60).map { Int64($0) })
      while !open.isEmpty || !unsent.isEmpty {
        if random.oneIn(2), !open.isEmpty {
          let numbers = open.sorted().filter { _ in random.oneIn(5) }
          open.subtract(numbers)
          unsent.formUnion(numbers)
          floor = (open.min() ?? 61) - 1
          subscription.add(numbers.compactMap { FeedEntry(new: $0) }, floor: random.oneIn(2) ? floor : min(floor, 5))
        }
        if random.oneIn(2), let batch = subscription.take(1 + random.below(7)) {
          for (place, entry) in batch.entries.enumerated() {
            unsent.remove(entry.number)
            #expect(unsent.union(open).allSatisfy { $0 > batch.position(after: place) }, "\(random)")
          }
        }
        #expect(unsent.union(open).allSatisfy { $0 > subscription.position }, "\(random)")
      }
    }
  }

  @Test("A client that takes nothing is cut off when too much waits, and not before")
  func bound() {
    let cuts = Locked(0)
    let subscription = Subscription(most: 10) { cuts.with { $0 += 1 } }
    subscription.add((1...10).compactMap { FeedEntry(new: $0) }, floor: 0)
    #expect(cuts.with { $0 } == 0 && !subscription.isEnded)
    subscription.add([FeedEntry(number: 11, callLog: 11)], floor: 0)
    subscription.add([FeedEntry(number: 12, callLog: 12)], floor: 0)
    #expect(cuts.with { $0 } == 1 && subscription.isEnded)
  }

  @Test("What a client missed before it came does not come twice when the feed finds it")
  func ahead() {
    let subscription = Subscription(most: 10) {}
    let missed = (1...4).compactMap { FeedEntry(new: $0) }
    subscription.add([], floor: 2)
    subscription.add(missed: missed, hasGap: false)
    #expect(subscription.take(10)?.entries == missed)
    subscription.add((3...5).compactMap { FeedEntry(new: $0) }, floor: 2)
    #expect(subscription.take(10)?.entries.map(\.number) == [5])
  }
}
