import PostgreSQL

/// SQL for the condition that a key is one of these ids.
///
/// The ids of a part are usually close together. Then PostgreSQL scans the index from the smallest
/// id to the greatest, and the ranges drop unwanted rows. That costs a third less than a look-up of
/// every row in an array, and stays an index scan with old statistics. Ids that are far apart are
/// looked up one by one.
struct IDCondition {
  private let least: Int64
  private let greatest: Int64
  private let ids: [Int64]
  private let ranges: [Range<Int64>]
  /// The number of rows that an index scan may read for each wanted row.
  private static let sparsest: Int64 = 8

  init(_ ids: [Int64]) {
    self.ids = ids
    ranges = ids.ranges
    (least, greatest) = (ranges.first?.lowerBound ?? 0, (ranges.last?.upperBound ?? 0) - 1)
  }

  private var isDense: Bool {
    let (span, overflows) = greatest.subtractingReportingOverflow(least)
    return !overflows && span / IDCondition.sparsest < ids.count
  }

  /// The condition for COPY, which takes no parameters. The values are integers, so they need no
  /// quoting.
  func literal(_ key: String) -> String {
    guard isDense else { return "\(key) = ANY('{\(ids.map(String.init).joined(separator: ","))}'::int8[])" }
    let list = ranges.map { "[\($0.lowerBound),\($0.upperBound))" }.joined(separator: ",")
    return text(key, "\(least)", "\(greatest)", "'{\(list)}'::int8multirange")
  }

  /// The condition with parameters from $1 on.
  func bound(_ key: String) -> (sql: String, parameters: [Parameter]) {
    guard isDense else { return ("\(key) = ANY($1::int8[])", [.int8Array(ids)]) }
    let parameters: [Parameter] = [.int8(least), .int8(greatest)]
    return (text(key, "$1", "$2", "$3::int8multirange"), parameters + (ranges.count > 1 ? [.int8Multirange(ranges)] : []))
  }

  private func text(_ key: String, _ least: String, _ greatest: String, _ ranges: String) -> String {
    let between = "\(key) BETWEEN \(least) AND \(greatest)"
    return self.ranges.count > 1 ? "\(between) AND \(ranges) @> \(key)::int8" : between
  }
}
