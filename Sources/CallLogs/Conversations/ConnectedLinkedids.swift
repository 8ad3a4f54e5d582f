/// Decides which linkedids are one call: those that share a uniqueid, to any depth. An empty
/// uniqueid connects nothing (Interpretation, R11 and R12).
///
/// The caller numbers linkedids and uniqueids from 0; -1 is the empty uniqueid.
public struct ConnectedLinkedids {
  private var parents: [Int32] = []
  /// The first linkedid of each uniqueid; -1 if there is none yet.
  private var owners: [Int32] = []

  /// Linkedids without any connection.
  public init() {}

  /// Removes all connections and makes room for new linkedids and uniqueids.
  public mutating func reset(linkedids: Int, uniqueids: Int) {
    parents.removeAll(keepingCapacity: true)
    owners.removeAll(keepingCapacity: true)
    grow(linkedids: linkedids, uniqueids: uniqueids)
  }

  /// Makes room for more linkedids and uniqueids, and keeps the connections.
  public mutating func grow(linkedids: Int, uniqueids: Int) {
    for number in parents.count..<max(parents.count, linkedids) { parents.append(Int32(truncatingIfNeeded: number)) }
    if owners.count < uniqueids { owners.append(contentsOf: repeatElement(-1, count: uniqueids - owners.count)) }
  }

  /// Adds a CEL.
  /// - Returns: if the CEL makes two calls one: the number that stands for both from now on, and
  ///   the number that no longer stands for a call
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

  /// The number that stands for the call of a linkedid: the least linkedid of the call.
  public mutating func call(ofLinkedid linkedid: Int32) -> Int32 {
    var at = linkedid
    while parents[Int(at)] != at {
      parents[Int(at)] = parents[Int(parents[Int(at)])]
      at = parents[Int(at)]
    }
    return at
  }

  /// The first linkedid of a uniqueid; nil if there is none yet.
  public func linkedid(ofUniqueid uniqueid: Int) -> Int32? {
    let owner = owners[uniqueid]
    return owner < 0 ? nil : owner
  }
}
