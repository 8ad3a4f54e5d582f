extension Found {
  /// The text, parsed by `parse`.
  ///
  /// - Throws: ``SettingsError/invalidValue(key:value:source:allowed:)`` if `parse` gives nil. A
  ///   secret is redacted in it.
  func value<Value>(of key: Settings.Key, _ parse: (String) -> Value?) throws(SettingsError) -> Value {
    let text = Parse.trim(text)
    if !text.isEmpty, let value = parse(text) { return value }
    let shown = text.isEmpty ? "empty" : key.isSecret ? DatabaseURI.redact(text) : "“\(text)”"
    throw .invalidValue(key: key.rawValue, value: shown, source: source, allowed: key.allowed)
  }
}

/// Parsers of values. Each gives nil for a value that is not allowed.
enum Parse {
  static func trim(_ text: String) -> String {
    var text = text[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }

  static func integer(in range: ClosedRange<Int>) -> (String) -> Int? {
    { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }
  }

  static func flag(_ text: String) -> Bool? {
    switch text.lowercased() {
    case "true", "yes", "on", "1": true
    case "false", "no", "off", "0": false
    default: nil
    }
  }

  /// `.some(nil)` stands for auto.
  static func switchOrAuto(_ text: String) -> Bool?? {
    text.lowercased() == "auto" ? .some(nil) : flag(text).map(Optional.some)
  }

  /// A number of bytes, also in KiB, MiB or GiB.
  static func bytes(in range: ClosedRange<Int>) -> (String) -> Int? {
    { text in
      let digits = text.prefix { $0.isASCII && $0.isNumber }
      let factors = ["": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
      guard let count = Int(digits), let factor = factors[trim(String(text[digits.endIndex...]))] else { return nil }
      let (bytes, isTooGreat) = count.multipliedReportingOverflow(by: factor)
      return !isTooGreat && range.contains(bytes) ? bytes : nil
    }
  }

  /// `.some(nil)` stands for auto.
  static func directory(_ text: String) -> DirectorySource?? {
    switch text {
    case "auto": .some(nil)
    case "wazo": .wazo
    case "none": .disabled
    default: .file(path: text)
    }
  }

  /// A time from `least` to `most`, in ms, s, min, h or d (24 hours). A number without a unit is in
  /// seconds.
  static func duration(atLeast least: Duration, atMost most: Duration = .seconds(86_400)) -> (String) -> Duration? {
    { text in
      let number = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
      let factors: [String: Double] = ["ms": 1, "": 1_000, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000]
      guard let factor = factors[trim(String(text[number.endIndex...]))], let count = Double(number) else { return nil }
      let milliseconds = (count * factor).rounded()
      // The check comes before the conversion, which traps on large numbers.
      guard milliseconds <= Double(most.components.seconds) * 1000 else { return nil }
      let duration = Duration.milliseconds(Int64(milliseconds))
      return duration >= least ? duration : nil
    }
  }

  /// Accepts `off`, which gives `.some(nil)`, and everything that `parse` accepts.
  static func orOff<Value>(_ parse: @escaping (String) -> Value?) -> (String) -> Value?? {
    { text in text.lowercased() == "off" ? .some(nil) : parse(text).map(Optional.some) }
  }

  /// An absolute path of a folder below the root.
  static func folderBelowRoot(_ text: String) -> String? {
    let parts = text.split(separator: "/").filter { $0 != "." }
    return text.hasPrefix("/") && !parts.isEmpty && !parts.contains("..") ? text : nil
  }

  /// The tables of `purge_tables`, in the program's order.
  static func tables(_ text: String) -> [String]? {
    let names = text.split(separator: ",", omittingEmptySubsequences: false).map { trim(String($0)) }
    let known = ["call-logs", "recordings", "cel"]
    return names.allSatisfy(known.contains) ? known.filter(names.contains) : nil
  }

  /// A UUID in lower case.
  static func uuid(_ text: String) -> String? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    let isUUID =
      parts.map(\.utf8.count) == [8, 4, 4, 4, 12] && parts.allSatisfy { $0.allSatisfy { $0.isASCII && $0.isHexDigit } }
    return isUUID ? text.lowercased() : nil
  }

  /// `table` or `schema.table` in SQL's form: letters, digits, `_` and `$`, or any characters in
  /// double quotes.
  static func table(_ text: String) -> String? {
    var rest = text[...]
    for part in 1...2 {
      if rest.first == "\"" {
        rest.removeFirst()
        var length = 0
        while let quote = rest.firstIndex(of: "\"") {
          length += rest.distance(from: rest.startIndex, to: quote)
          rest = rest[quote...].dropFirst()
          guard rest.first == "\"" else { break }
          // A doubled quote is one quote in the name.
          length += 1
          rest.removeFirst()
          if !rest.contains("\"") { return nil }
        }
        guard length > 0 else { return nil }
      } else {
        let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "$" }
        guard let first = name.first, first.isLetter || first == "_" else { return nil }
        rest = rest.dropFirst(name.count)
      }
      if rest.isEmpty { return text }
      guard part == 1, rest.first == "." else { return nil }
      rest.removeFirst()
    }
    return nil
  }

  static func timeZone(_ text: String) -> String? {
    SettingsFiles.isTimeZone(text) ? text : nil
  }
}
