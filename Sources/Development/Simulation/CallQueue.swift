/// The present calls, by the time of their next CEL: a binary heap with one entry for each call.
struct CallQueue {
  struct Entry {
    var time: Int64
    /// Decides between calls with the same time, so that the order is the same in every run.
    var call: Int
    /// The place of the call's script.
    var slot: Int

    static func < (left: Entry, right: Entry) -> Bool {
      left.time != right.time ? left.time < right.time : left.call < right.call
    }
  }

  private var entries: [Entry] = []

  /// The entry that is due first.
  var first: Entry? { entries.first }

  mutating func push(_ entry: Entry) {
    var position = entries.count
    entries.append(entry)
    while position > 0 {
      let parent = (position - 1) / 2
      guard entries[position] < entries[parent] else { return }
      entries.swapAt(position, parent)
      position = parent
    }
  }

  mutating func pop() -> Entry? {
    guard let last = entries.popLast() else { return nil }
    guard let first = entries.first else { return last }
    entries[0] = last
    var position = 0
    while true {
      var least = position
      for child in [2 * position + 1, 2 * position + 2] where child < entries.count && entries[child] < entries[least] {
        least = child
      }
      guard least != position else { return first }
      entries.swapAt(position, least)
      position = least
    }
  }
}
