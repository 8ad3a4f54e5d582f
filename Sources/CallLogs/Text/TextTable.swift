/// Texts numbered in the order of their first appearance: each distinct text gets 0, 1, 2 …
///
/// An open-addressing table over bytes, made for the names of one batch (linkedids, uniqueids, channel names): a look-up is one quick hash
/// and one comparison, and emptying costs what was stored, not the capacity.
public struct TextTable {
  /// The distinct texts, by number.
  public private(set) var texts: [Text] = []
  // Kept for emptying: the texts' bytes may be gone by then.
  private var hashes: [UInt32] = []
  private var slots: [Slot]
  private var mask: Int
  /// The number that was asked for last: rows that follow each other often share their names.
  private var last = 0

  /// The number beside the hash, so that a look-up that meets others touches only the slots.
  private struct Slot {
    var hash: UInt32
    var number: Int32
    static let empty = Slot(hash: 0, number: -1)
  }

  /// An empty table.
  public init() {
    slots = [Slot](repeating: .empty, count: 64)
    mask = 63
  }

  /// How many distinct texts there are.
  public var count: Int { texts.count }

  /// The number of `text`, nil if it was never added.
  public func find(_ text: Text) -> Int? { find(text, TextTable.hash(text)) }

  /// The number of `text`; a new text is first passed through `keep`, which gives the copy to store.
  @inline(__always)
  public mutating func number(of text: Text, keep: (Text) -> Text) -> Int {
    if last < texts.count, texts[last] == text { return last }
    let hash = TextTable.hash(text)
    last = find(text, hash) ?? insert(keep(text), hash)
    return last
  }

  private static func hash(_ text: Text) -> UInt32 { UInt32(truncatingIfNeeded: text.quickHash) }

  private func find(_ text: Text, _ hash: UInt32) -> Int? {
    var place = Int(hash) & mask
    while true {
      let slot = slots[place]
      if slot.number < 0 { return nil }
      if slot.hash == hash, texts[Int(slot.number)] == text { return Int(slot.number) }
      place = (place + 1) & mask
    }
  }

  private mutating func insert(_ text: Text, _ hash: UInt32) -> Int {
    if texts.count * 2 >= slots.count { grow() }
    let number = texts.count
    texts.append(text)
    hashes.append(hash)
    place(Slot(hash: hash, number: Int32(number)))
    return number
  }

  /// Empties the table but keeps its room.
  public mutating func removeAll() {
    if texts.count * 8 < slots.count {
      // From the last to the first, so that every chain is still whole when its slot is looked for.
      for number in stride(from: texts.count - 1, through: 0, by: -1) {
        var place = Int(hashes[number]) & mask
        while slots[place].number != Int32(number) { place = (place + 1) & mask }
        slots[place] = .empty
      }
    } else {
      for place in slots.indices { slots[place] = .empty }
    }
    texts.removeAll(keepingCapacity: true)
    hashes.removeAll(keepingCapacity: true)
    last = 0
  }

  private mutating func place(_ slot: Slot) {
    var place = Int(slot.hash) & mask
    while slots[place].number >= 0 { place = (place + 1) & mask }
    slots[place] = slot
  }

  private mutating func grow() {
    let old = slots
    slots = [Slot](repeating: .empty, count: old.count * 2)
    mask = slots.count - 1
    for slot in old where slot.number >= 0 { place(slot) }
  }
}
