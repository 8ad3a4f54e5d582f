import Listing
import Values

/// Where charts put what they show. Places across are in hundredths of the width, so that a chart
/// fits any window; places down are in pixels.
enum ChartScale {
  /// A place across.
  static func across(_ part: Double) -> String {
    let thousandths = Int((part * 100_000).rounded())
    return thousandths % 1000 == 0 ? "\(thousandths / 1000)%" : "\(Double(thousandths) / 1000)%"
  }

  /// A place down, or a height.
  static func down(_ pixels: Double) -> String { "\((pixels * 10).rounded() / 10)" }

  /// Values for lines of a grid, from 0 to one that no value is above: at most five, with round
  /// numbers.
  static func ticks(_ most: Int64) -> [Int64] {
    var step: Int64 = 1
    var factors = [2, 5, 10][...]
    var power: Int64 = 1
    while (most + step - 1) / step > 4 {
      step = power * Int64(factors.removeFirst())
      if factors.isEmpty { (factors, power) = ([2, 5, 10], power * 10) }
    }
    let count = max(1, (most + step - 1) / step)
    return (0...count).map { $0 * step }
  }
}

/// What selects a part of the calls that a chart shows.
struct ChartLinks: Sendable {
  let filter: PageFilter

  private func query(_ address: String) -> String { address.isEmpty ? "./" : "./?" + address }

  /// The list of the calls of a time, as far as they are in the filter; nil where the form's fields
  /// cannot say that time, as in an hour that clocks show twice.
  func list(_ start: Timestamp, _ end: Timestamp) -> String? {
    let lower = max(start, filter.selection.from ?? start)
    let upper = min(end, filter.selection.to ?? end)
    guard lower < upper, let from = field(lower), let until = field(upper) else { return nil }
    return query(filter.address(["from": from, "until": until, "after": nil]))
  }

  private func field(_ time: Timestamp) -> String? {
    let short = filter.zone.field(time)
    return [short, short + filter.zone.clockTime(time).suffix(3)].first { filter.zone.time(ofField: $0) == time }
  }

  /// The list of the calls of a status; nil where the filter names statuses already.
  func list(_ status: CallLogView.Status) -> String? {
    guard filter.selection.statuses == nil, let name = PageFilter.statuses.first(where: { $0.value == status })?.key else {
      return nil
    }
    return query(filter.address(["status": name, "after": nil]))
  }

  /// The list of the calls from or to a number; nil for a number that the box cannot name, or in
  /// which it would see a `*` for any digits.
  func list(_ key: String, _ number: String) -> String? {
    let isPlain = number.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+*#.-".contains($0)) }
    guard (1...80).contains(number.count), isPlain, !number.hasPrefix("*"), !number.hasSuffix("*") else { return nil }
    let others = filter.box.terms.filter { $0.key != key }.map(\.source)
    let box = (others + ["\(key):\(number)"]).joined(separator: " ")
    return query(filter.address(["q": box, "after": nil]))
  }

  /// The charts themselves, with periods of a length.
  func charts(_ unit: CallLogStatistics.Unit?) -> String {
    let by = unit.map { "by=\($0.rawValue)" } ?? ""
    let all = [filter.address(["after": nil]), by].filter { !$0.isEmpty }.joined(separator: "&")
    return all.isEmpty ? "./charts" : "./charts?" + all
  }
}
