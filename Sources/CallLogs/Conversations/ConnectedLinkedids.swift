/// The one definition of a call: linkedids that share a uniqueid are one call, to any depth. An empty uniqueid connects nothing.
///
/// Linkedids and uniqueids are numbered from 0 by the caller; -1 is the empty uniqueid. See the article "Interpretation".
public struct ConnectedLinkedids {
  private var parents: [Int32] = []
  /// The first linkedid that each uniqueid was seen with; -1 for none.
  private var owners: [Int32] = []

  /// Nothing is connected.
  public init() {}

  /// Forgets everything and makes room for so many linkedids and uniqueids.
  public mutating func reset(linkedids: Int, uniqueids: Int) {
    parents.removeAll(keepingCapacity: true)
    owners.removeAll(keepingCapacity: true)
    grow(linkedids: linkedids, uniqueids: uniqueids)
  }

  /// Makes room for so many linkedids and uniqueids; what is connected stays so.
  public mutating func grow(linkedids: Int, uniqueids: Int) {
    for number in parents.count..<max(parents.count, linkedids) { parents.append(Int32(truncatingIfNeeded: number)) }
    if owners.count < uniqueids { owners.append(contentsOf: repeatElement(-1, count: uniqueids - owners.count)) }
  }

  /// Takes in a CEL.
  /// - Returns: where it made two calls one, which number stands for both now and which one no longer stands for any
  @discardableResult
  public mutating func add(linkedid: Int32, uniqueid: Int32) -> (kept: Int32, gone: Int32)? {
    guard uniqueid >= 0 else { return nil }
    let known = owners[Int(uniqueid)]
    guard known >= 0 else {
      owners[Int(uniqueid)] = linkedid
      return nil
    }
    guard known != linkedid else { return nil }
    let (a, b) = (call(ofLinkedid: known), call(ofLinkedid: linkedid))
    guard a != b else { return nil }
    let (kept, gone) = (min(a, b), max(a, b))
    parents[Int(gone)] = kept
    return (kept, gone)
  }

  /// The number that stands for the call of a linkedid: the least of the call's linkedids.
  public mutating func call(ofLinkedid linkedid: Int32) -> Int32 {
    var at = linkedid
    while parents[Int(at)] != at {
      parents[Int(at)] = parents[Int(parents[Int(at)])]
      at = parents[Int(at)]
    }
    return at
  }

  /// The first linkedid that a uniqueid was seen with; nil for none.
  public func linkedid(ofUniqueid uniqueid: Int) -> Int32? {
    let owner = owners[uniqueid]
    return owner < 0 ? nil : owner
  }
}
