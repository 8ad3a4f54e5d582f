import PostgreSQL

/// "The key is one of these ids" as SQL.
///
/// The ids of a part mostly lie close together. Then an index is read from the least to the greatest, and the ranges tell which rows are left out: that costs a third less than
/// to look every row up in an array, and stays an index scan where the table's statistics are old. Ids that are far apart are looked up one by one.
struct IDCondition {
  private let least: Int64
  private let greatest: Int64
  private let ids: [Int64]
  private let ranges: [Range<Int64>]
  /// Rows that an index scan over the whole range would read for each one that is wanted, at most.
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

  /// For COPY, which takes no parameters. They are integers of the database's making, so there is nothing that could be quoted.
  func literal(_ key: String) -> String {
    guard isDense else { return "\(key) = ANY('{\(ids.map(String.init).joined(separator: ","))}'::int8[])" }
    let list = ranges.map { "[\($0.lowerBound),\($0.upperBound))" }.joined(separator: ",")
    return text(key, "\(least)", "\(greatest)", "'{\(list)}'::int8multirange")
  }

  /// With parameters from $1 on.
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
