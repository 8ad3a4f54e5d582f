import ArgumentParser
import Foundation

/// How a verb prints what it found.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json
}

/// Numbers and times as people read them.
enum Human {
  /// `1,234,567`.
  static func count(_ number: some BinaryInteger) -> String {
    let digits = String(Int64(number).magnitude)
    var out = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { out.append(",") }
      out.append(digit)
    }
    return number < 0 ? "-" + out : out
  }

  /// `1 call log`, `2 call logs`.
  static func count(_ number: some BinaryInteger, _ thing: String) -> String {
    "\(count(number)) \(thing)\(number == 1 ? "" : "s")"
  }

  /// `0.42 s`, `12 s`, `3 min 20 s`, `2 h 5 min`.
  static func duration(_ seconds: Double) -> String {
    if seconds < 10 { return String(format: "%.2f s", seconds) }
    let whole = Int(seconds.rounded())
    if whole < 120 { return "\(whole) s" }
    if whole < 7200 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole / 60 % 60) min"
  }

  /// A length of time in its greatest unit: `45 s`, `5 min`, `36 h`, `3 d`.
  static func span(_ seconds: Double) -> String {
    let whole = Int64(seconds.rounded(.down))
    if whole < 120 { return "\(whole) s" }
    if whole < 7200, whole != 3600 { return "\(whole / 60) min" }
    return whole < 172_800 ? "\(whole / 3600) h" : "\(count(whole / 86_400)) d"
  }

  /// Text in lines of at most 80 columns, all but the first indented by two more; a longer word stays whole.
  static func wrapped(_ text: String, indent: Int) -> [String] {
    var lines: [String] = []
    var line = String(repeating: " ", count: indent)
    var isEmpty = true
    for word in text.split(whereSeparator: \.isWhitespace) {
      if !isEmpty, line.count + 1 + word.count > 80 {
        lines.append(line)
        line = String(repeating: " ", count: indent + 2)
        isEmpty = true
      }
      line += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    return isEmpty ? lines : lines + [line]
  }

  /// An offset in hours such as `+2 h` or `-3 h 30 min`.
  static func offset(_ seconds: Int) -> String {
    let minutes = abs(seconds) / 60
    return (seconds < 0 ? "-" : "+") + "\(minutes / 60) h" + (minutes % 60 == 0 ? "" : " \(minutes % 60) min")
  }
}

/// A table of text in columns.
struct TextTable {
  private var rows: [[String]] = []
  private let right: Set<Int>

  /// A table with these headings; the columns in `right` are set flush right.
  init(_ headings: [String], right: Set<Int> = []) {
    rows = [headings]
    self.right = right
  }

  mutating func add(_ row: [String]) { rows.append(row) }

  /// The lines, no wider than need be; a cell wider than `limit` is cut.
  func lines(limit: Int = 40) -> [String] {
    let cells = rows.map { row in row.map { $0.count > limit ? $0.prefix(limit - 1) + "…" : $0 } }
    let widths = (cells.first ?? []).indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    return cells.enumerated().map { index, row in
      let line = row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return right.contains(column) ? padding + cell : cell + padding
      }.joined(separator: "  ")
      return index == 0 && Console.isOutputTerminal
        ? "\u{1B}[1m\(line)\u{1B}[0m" : String(line.reversed().drop { $0 == " " }.reversed())
    }
  }
}
