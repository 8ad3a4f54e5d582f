/// Texts numbered in the order of their first appearance: each distinct text gets 0, 1, 2 …
///
/// An open-addressing table over bytes, made for the names of one batch (linkedids, uniqueids, channel names): a look-up is one quick hash
/// and one comparison, and emptying costs what was stored, not the capacity.
public struct TextTable {
  /// The distinct texts, by number.
  public private(set) var texts: [Text] = []
  private var hashes: [UInt32] = []
  private var slots: [Int32]
  private var mask: Int

  /// An empty table.
  public init() {
    slots = [Int32](repeating: -1, count: 64)
    mask = 63
  }

  /// How many distinct texts there are.
  public var count: Int { texts.count }

  /// The number of `text`, nil if it was never added.
  public func find(_ text: Text) -> Int? {
    let hash = UInt32(truncatingIfNeeded: text.quickHash)
    var slot = Int(hash) & mask
    while slots[slot] >= 0 {
      let number = Int(slots[slot])
      if hashes[number] == hash, texts[number] == text { return number }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// The number of `text`; a new text is first passed through `keep`, which gives the copy to store.
  @inlinable public mutating func number(of text: Text, keep: (Text) -> Text) -> Int {
    let hash = UInt32(truncatingIfNeeded: text.quickHash)
    if let known = known(text, hash) { return known }
    return insert(keep(text), hash)
  }

  @usableFromInline func known(_ text: Text, _ hash: UInt32) -> Int? {
    var slot = Int(hash) & mask
    while slots[slot] >= 0 {
      let number = Int(slots[slot])
      if hashes[number] == hash, texts[number] == text { return number }
      slot = (slot + 1) & mask
    }
    return nil
  }

  @usableFromInline mutating func insert(_ text: Text, _ hash: UInt32) -> Int {
    if texts.count * 2 >= slots.count { grow() }
    let number = texts.count
    texts.append(text)
    hashes.append(hash)
    place(number)
    return number
  }

  /// Empties the table but keeps its room.
  public mutating func removeAll() {
    if texts.count * 8 < slots.count {
      // From the last to the first, so that every chain is still whole when its slot is looked for.
      for number in stride(from: texts.count - 1, through: 0, by: -1) {
        var slot = Int(hashes[number]) & mask
        while slots[slot] != Int32(number) { slot = (slot + 1) & mask }
        slots[slot] = -1
      }
    } else {
      for slot in slots.indices { slots[slot] = -1 }
    }
    texts.removeAll(keepingCapacity: true)
    hashes.removeAll(keepingCapacity: true)
  }

  private mutating func place(_ number: Int) {
    var slot = Int(hashes[number]) & mask
    while slots[slot] >= 0 { slot = (slot + 1) & mask }
    slots[slot] = Int32(number)
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: slots.count * 2)
    mask = slots.count - 1
    for number in texts.indices { place(number) }
  }
}
