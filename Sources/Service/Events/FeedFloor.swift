/// Which entries were given, and a number below which nothing can come any more: the floor.
///
/// A transaction takes its numbers before it commits. So entries appear out of order, and the
/// greatest number that was seen says nothing of those below it. The floor rises to a number only
/// when all that could bring lesser ones have ended, and when a look after that has shown theirs.
struct FeedFloor: Sendable {
  /// All entries up to it were given, or are not wanted.
  private(set) var value: Int64
  /// Whether it is still a guess, far below what is there.
  private(set) var isGuess: Bool
  private var given: Set<Int64>
  private var marks: [Mark] = []

  /// A number that was the greatest at some time.
  fileprivate struct Mark {
    let number: Int64
    let since: ContinuousClock.Instant
    /// Transactions of that time that have not ended; nil where they are not known.
    var writers: Set<String>?
    /// The first transaction that is too new to have lesser numbers.
    var next: Int64?
    var isReached = false
  }

  /// A transaction gets its own number with its first row. It has the numbers of its rows before.
  fileprivate static let untilNumbered = Duration.seconds(5)
  private static let mostMarks = 100

  /// Begins with what is there, which is not given to anybody.
  init(_ reading: FeedReading, at now: ContinuousClock.Instant = .now) {
    value = reading.isPart ? (reading.entries.first?.number ?? 1) - 1 : 0
    isGuess = reading.greatest != nil
    given = Set(reading.entries.map(\.number))
    mark(reading, at: now)
  }

  /// Takes a look at the entries above the floor.
  /// - Returns: the entries that were not given yet, ascending, and whether some are missing since
  ///   there were too many
  mutating func take(_ reading: FeedReading, at now: ContinuousClock.Instant = .now) -> (new: [FeedEntry], hasGap: Bool) {
    let new = reading.entries.filter { !given.contains($0.number) }
    given.formUnion(new.lazy.map(\.number))
    var hasGap = false
    if let reached = marks.lastIndex(where: \.isReached) {
      value = max(value, marks[reached].number)
      isGuess = false
      marks.removeFirst(reached + 1)
    }
    if reading.isPart, let first = reading.entries.first, first.number - 1 > value {
      (value, hasGap) = (first.number - 1, true)
      marks.removeAll { $0.number <= value }
    }
    if (reading.greatest ?? 0) < value {
      // Call logs were deleted, or the database is another one. New ones may have lesser numbers.
      value = reading.greatest ?? 0
      marks = []
      given = []
    }
    given = given.filter { $0 > value }
    for place in marks.indices { marks[place].look(reading.writers, at: now) }
    mark(reading, at: now)
    return (new, hasGap)
  }

  private mutating func mark(_ reading: FeedReading, at now: ContinuousClock.Instant) {
    guard let greatest = reading.greatest, greatest > marks.last?.number ?? value, marks.count < FeedFloor.mostMarks else {
      return
    }
    var mark = Mark(number: greatest, since: now)
    if case .known(let writers) = reading.writers {
      mark.writers = writers
      mark.isReached = writers.isEmpty
    }
    marks.append(mark)
  }
}

extension FeedFloor.Mark {
  fileprivate mutating func look(_ writersNow: FeedReading.Writers, at now: ContinuousClock.Instant) {
    switch (writersNow, writers) {
    case (.known(let present), let mine?):
      writers = mine.intersection(present)
      isReached = writers?.isEmpty ?? false
    case (.unknown(let least, let nextNow), _):
      writers = nil
      if let next {
        isReached = least >= next
      } else if now - since >= FeedFloor.untilNumbered {
        next = nextNow
      }
    // A standby has become a server of its own. Nobody who wrote before that writes any more.
    case (.known(let present), nil):
      writers = present
      isReached = present.isEmpty
    }
  }
}
