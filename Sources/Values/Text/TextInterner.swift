/// Numbers texts by their first appearance: each distinct text gets 0, 1, 2 …
///
/// It is an open-addressing hash table for the names of one batch (linkedids, uniqueids, channel
/// names). A look-up takes one hash and one comparison. Emptying the table takes time for its
/// texts, not for its capacity.
public struct TextInterner {
  /// The distinct texts by their numbers.
  @inlinable public var texts: [Text] { stored }
  @usableFromInline var stored: [Text] = []
  // Kept for emptying the table: the bytes of the texts may be gone then.
  @usableFromInline var hashes: [UInt32] = []
  @usableFromInline var slots: [Slot]
  @usableFromInline var mask: Int
  /// The number of the latest look-up. Neighbouring rows often share their names.
  @usableFromInline var last = 0

  /// A number with its hash, so that a look-up with collisions reads only the slots.
  @usableFromInline struct Slot: Sendable {
    @usableFromInline var hash: UInt32
    @usableFromInline var number: Int32
    @inlinable init(hash: UInt32, number: Int32) {
      self.hash = hash
      self.number = number
    }
    @usableFromInline static let empty = Slot(hash: 0, number: -1)
  }

  /// An empty table.
  public init() {
    slots = [Slot](repeating: .empty, count: 64)
    mask = 63
  }

  /// The number of distinct texts.
  public var count: Int { stored.count }

  /// The number of `text`; nil if the table does not contain it.
  @inlinable public func find(_ text: Text) -> Int? { find(text, TextInterner.hash(text)) }

  /// The number of `text`. For a new text, `keep` gives the copy to store.
  @inlinable @inline(__always)
  public mutating func number(of text: Text, keep: (Text) -> Text) -> Int {
    if last < stored.count, stored[last] == text { return last }
    let hash = TextInterner.hash(text)
    last = find(text, hash) ?? insert(keep(text), hash)
    return last
  }

  @inlinable static func hash(_ text: Text) -> UInt32 { UInt32(truncatingIfNeeded: text.quickHash) }

  @inlinable func find(_ text: Text, _ hash: UInt32) -> Int? {
    var place = Int(hash) & mask
    while true {
      let slot = slots[place]
      if slot.number < 0 { return nil }
      if slot.hash == hash, stored[Int(slot.number)] == text { return Int(slot.number) }
      place = (place + 1) & mask
    }
  }

  @inlinable mutating func insert(_ text: Text, _ hash: UInt32) -> Int {
    if stored.count * 2 >= slots.count { grow() }
    let number = stored.count
    stored.append(text)
    hashes.append(hash)
    place(Slot(hash: hash, number: Int32(number)))
    return number
  }

  /// Empties the table but keeps its memory.
  @inlinable public mutating func removeAll() {
    if stored.count * 8 < slots.count {
      // Backwards, so that every chain is complete while its slot is looked up.
      for number in stride(from: stored.count - 1, through: 0, by: -1) {
        var place = Int(hashes[number]) & mask
        while slots[place].number != Int32(number) { place = (place + 1) & mask }
        slots[place] = .empty
      }
    } else {
      for place in slots.indices { slots[place] = .empty }
    }
    stored.removeAll(keepingCapacity: true)
    hashes.removeAll(keepingCapacity: true)
    last = 0
  }

  @inlinable mutating func place(_ slot: Slot) {
    var place = Int(slot.hash) & mask
    while slots[place].number >= 0 { place = (place + 1) & mask }
    slots[place] = slot
  }

  @inlinable mutating func grow() {
    let old = slots
    slots = [Slot](repeating: .empty, count: old.count * 2)
    mask = slots.count - 1
    for slot in old where slot.number >= 0 { place(slot) }
  }
}
