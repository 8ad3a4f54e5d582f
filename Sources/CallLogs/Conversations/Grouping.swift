import Values

/// The CELs of one conversation (Interpretation, R11).
public struct Group: Sendable {
  /// The indices of the group's row numbers in ``Grouping/order``.
  public let rows: Range<Int>
  /// The indices of the group's linkedids in ``Grouping/linkedids``.
  public let linkedids: Range<Int>
  /// Whether every linkedid has its LINKEDID_END (Interpretation, R15).
  public let isComplete: Bool
  /// Whether each linkedid's first channel has its CHAN_START and CHAN_END in the group. A linkedid
  /// is named after that channel.
  public let hasFirstChannels: Bool
  /// Whether no row of the group points to rows elsewhere: every channel has its CHAN_START and
  /// CHAN_END, and every linkedid has its LINKEDID_END and its first channel. A linkedid can still
  /// end, go on with other channels, and end again.
  public let isClosed: Bool
  /// Whether all rows are of channels that Asterisk makes for itself. Such a group is no call and
  /// never ends (Interpretation, R16).
  public let isInternal: Bool
  /// Whether every row points to a call log.
  public let isLinked: Bool
  /// Whether at least one row points to a call log.
  public let hasLinks: Bool
  /// The greatest id of the group's rows.
  public let greatestID: Int64
}

/// A batch, divided into groups.
///
/// Interpretation, R11 to R13: groups are connected sets of linkedids. The events of a group are
/// ordered by eventtime, then by linkedid as bytes, then by id.
public struct Grouping {
  /// The row numbers of the batch, group by group, in the order of reading.
  public private(set) var order: [Int32] = []
  /// The linkedid numbers of the batch, group by group.
  public private(set) var linkedids: [Int32] = []
  /// The groups, ordered by their first rows.
  public private(set) var groups: [Group] = []

  private var connected = ConnectedLinkedids()
  private var groupOf: [Int32] = []

  /// An empty grouping.
  public init() {}

  /// The group of a linkedid.
  public func group(ofLinkedid number: Int) -> Int { Int(groupOf[number]) }

  /// The number of the group that a uniqueid of the batch belongs to; nil where none of its rows is
  /// in one.
  public func group(ofUniqueid number: Int) -> Int? {
    connected.linkedid(ofUniqueid: number).map { group(ofLinkedid: Int($0)) }
  }

  /// The conversation_id of a group: its smallest linkedid (Interpretation, R14).
  public func conversationID(of group: Int, in batch: CELBatch) -> Text {
    let numbers = linkedids[groups[group].linkedids]
    if numbers.count == 1, let only = numbers.first { return batch.linkedid(only) }
    return Linkedid.smallest(numbers.map { batch.linkedid($0) })
  }

  /// Divides `batch` into groups. This replaces the former groups.
  public mutating func group(_ batch: CELBatch) {
    connect(batch)
    place(batch)
    sortAndDescribe(batch)
  }

  private mutating func connect(_ batch: CELBatch) {
    connected.reset(linkedids: batch.linkedids.count, uniqueids: batch.uniqueids.count)
    for row in batch.rows { connected.add(linkedid: row.linkedid, uniqueid: row.uniqueid) }
  }

  /// Sorts rows and linkedids by group, with two counting sorts.
  private mutating func place(_ batch: CELBatch) {
    let none: Int32 = -1
    groupOf.removeAll(keepingCapacity: true)
    groupOf.append(contentsOf: repeatElement(none, count: batch.linkedids.count))
    var rowCounts: [Int] = []
    for row in batch.rows {
      let root = Int(connected.call(ofLinkedid: row.linkedid))
      if groupOf[root] < 0 {
        groupOf[root] = Int32(rowCounts.count)
        rowCounts.append(0)
      }
      rowCounts[Int(groupOf[root])] += 1
    }
    var linkedidCounts = [Int](repeating: 0, count: rowCounts.count)
    for linkedid in 0..<batch.linkedids.count {
      let group = groupOf[Int(connected.call(ofLinkedid: Int32(linkedid)))]
      groupOf[linkedid] = group
      if group >= 0 { linkedidCounts[Int(group)] += 1 }
    }
    var nextRow = Grouping.starts(of: rowCounts)
    var nextLinkedid = Grouping.starts(of: linkedidCounts)
    order.removeAll(keepingCapacity: true)
    order.append(contentsOf: repeatElement(0, count: batch.count))
    linkedids.removeAll(keepingCapacity: true)
    linkedids.append(contentsOf: repeatElement(0, count: linkedidCounts.reduce(0, +)))
    for (number, row) in batch.rows.enumerated() {
      let group = Int(groupOf[Int(row.linkedid)])
      order[nextRow[group]] = Int32(number)
      nextRow[group] += 1
    }
    for linkedid in 0..<batch.linkedids.count where groupOf[linkedid] >= 0 {
      let group = Int(groupOf[linkedid])
      linkedids[nextLinkedid[group]] = Int32(linkedid)
      nextLinkedid[group] += 1
    }
    groups.removeAll(keepingCapacity: true)
    var firstRow = 0
    var firstLinkedid = 0
    for group in rowCounts.indices {
      groups.append(
        Group(
          rows: firstRow..<nextRow[group], linkedids: firstLinkedid..<nextLinkedid[group], isComplete: false,
          hasFirstChannels: false,
          isClosed: false, isInternal: false, isLinked: false, hasLinks: false, greatestID: 0))
      firstRow = nextRow[group]
      firstLinkedid = nextLinkedid[group]
    }
  }

  private static func starts(of counts: [Int]) -> [Int] {
    var sum = 0
    return counts.map { count in
      defer { sum += count }
      return sum
    }
  }

  private mutating func sortAndDescribe(_ batch: CELBatch) {
    let rows = batch.rows
    // Bits by uniqueid and linkedid: 1 seen, 2 CHAN_START or LINKEDID_END, 4 CHAN_END.
    var channels = [UInt8](repeating: 0, count: batch.uniqueids.count)
    var ended = [Bool](repeating: false, count: batch.linkedids.count)
    for row in rows {
      if row.type == .linkedidEnd { ended[Int(row.linkedid)] = true }
      guard row.uniqueid >= 0 else { continue }
      channels[Int(row.uniqueid)] |= row.type == .chanStart ? 3 : row.type == .chanEnd ? 5 : 1
    }
    for index in groups.indices {
      let group = groups[index]
      sort(group.rows, batch)
      var isComplete = true
      for linkedid in linkedids[group.linkedids] where !ended[Int(linkedid)] { isComplete = false }
      let hasFirstChannels = hasFirstChannels(group, batch, channels)
      var isClosed = isComplete && hasFirstChannels
      var isInternal = true
      var isLinked = true
      var hasLinks = false
      var greatestID = Int64.min
      for number in order[group.rows] {
        let row = rows[Int(number)]
        if row.uniqueid < 0 || channels[Int(row.uniqueid)] != 7 { isClosed = false }
        if !row.isInternal { isInternal = false }
        if row.callLogID == 0 { isLinked = false } else { hasLinks = true }
        greatestID = max(greatestID, row.id)
      }
      groups[index] = Group(
        rows: group.rows, linkedids: group.linkedids, isComplete: isComplete,
        hasFirstChannels: hasFirstChannels, isClosed: isClosed, isInternal: isInternal,
        isLinked: isLinked, hasLinks: hasLinks,
        greatestID: greatestID)
    }
  }

  /// Whether each linkedid's first channel, which has the same uniqueid, is complete in the group.
  private func hasFirstChannels(_ group: Group, _ batch: CELBatch, _ events: [UInt8]) -> Bool {
    linkedids[group.linkedids].allSatisfy { linkedid in
      guard let channel = batch.uniqueids.find(batch.linkedid(linkedid)) else { return false }
      guard let owner = connected.linkedid(ofUniqueid: channel) else { return false }
      return events[channel] == 7 && groupOf[Int(owner)] == groupOf[Int(linkedid)]
    }
  }

  /// Rows come nearly in order, so an insertion sort is fast. Long groups in another order get a
  /// full sort.
  private mutating func sort(_ range: Range<Int>, _ batch: CELBatch) {
    let rows = batch.rows
    let texts = batch.linkedids.texts
    func precedes(_ a: Int32, _ b: Int32) -> Bool {
      let x = rows[Int(a)]
      let y = rows[Int(b)]
      if x.time != y.time { return x.time < y.time }
      if x.linkedid != y.linkedid { return texts[Int(x.linkedid)] < texts[Int(y.linkedid)] }
      return x.id < y.id
    }
    var moves = 0
    for index in range.dropFirst() {
      let row = order[index]
      var at = index
      while at > range.lowerBound, precedes(row, order[at - 1]) {
        order[at] = order[at - 1]
        at -= 1
        moves += 1
      }
      order[at] = row
      if moves > 32 * range.count {
        order[range].sort(by: precedes)
        return
      }
    }
  }
}
