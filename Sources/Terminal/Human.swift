import Foundation

/// Numbers and times in a form for people.
package enum Human {
  /// A number with separators, such as `1,234,567`.
  package static func count(_ number: some BinaryInteger) -> String {
    let digits = String(Int64(number).magnitude)
    var out = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { out.append(",") }
      out.append(digit)
    }
    return number < 0 ? "-" + out : out
  }

  /// A number with its noun, such as `1 call log` or `2 call logs`.
  package static func count(_ number: some BinaryInteger, _ thing: String) -> String {
    "\(count(number)) \(thing)\(number == 1 ? "" : "s")"
  }

  /// A duration, given in seconds, such as `0.42 s`, `12 s`, `3 min 20 s` or `2 h 5 min`.
  package static func duration(_ seconds: Double) -> String {
    if seconds < 10 { return String(format: "%.2f s", seconds) }
    let whole = Int(seconds.rounded())
    if whole < 120 { return "\(whole) s" }
    if whole < 7200 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole / 60 % 60) min"
  }

  /// A duration, given in seconds, in one unit: `45 s`, `5 min`, `36 h`, `3 d`.
  package static func span(_ seconds: Double) -> String {
    let whole = Int64(seconds.rounded(.down))
    if whole < 120 { return "\(whole) s" }
    if whole < 7200, whole != 3600 { return "\(whole / 60) min" }
    return whole < 172_800 ? "\(whole / 3600) h" : "\(count(whole / 86_400)) d"
  }

  /// The text in lines of at most 80 columns. Every line but the first is indented by two more
  /// columns. A word that is longer than a line stays whole.
  package static func wrapped(_ text: String, indent: Int) -> [String] {
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

  /// An offset from UTC, given in seconds, such as `+2 h` or `-3 h 30 min`.
  package static func offset(_ seconds: Int) -> String {
    let minutes = abs(seconds) / 60
    return (seconds < 0 ? "-" : "+") + "\(minutes / 60) h" + (minutes % 60 == 0 ? "" : " \(minutes % 60) min")
  }
}
