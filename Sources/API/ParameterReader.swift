import Values

/// Reads parameters one after the other, and keeps what is wrong with any of them, so that all is
/// told at once.
struct ParameterReader {
  private let query: QueryString
  private let zone: WallClock
  private(set) var problems: [JSONValue.Field] = []

  /// - Parameter zone: of times that say none
  init(_ query: QueryString, zone: WallClock) { (self.query, self.zone) = (query, zone) }

  /// - Throws: ``APIError`` with all that is wrong so far, if anything is
  func check() throws(APIError) {
    if !problems.isEmpty { throw APIError.invalidData(problems) }
  }

  /// Says that a parameter is bad.
  mutating func note(_ problem: Problem, _ name: String) {
    problems.append(JSONValue.Field(name, problem.details))
  }

  /// A text; nil where the parameter is not given, or bad. The database takes no U+0000.
  mutating func text(_ name: String, isBad problem: Problem = .noText) -> String? {
    guard let pair = query.first(name) else { return nil }
    guard let value = pair.value else {
      note(problem, name)
      return nil
    }
    guard !value.utf8.contains(0) else {
      note(.hasNull, name)
      return nil
    }
    return value
  }

  /// What a text means; a problem where it means nothing.
  private mutating func value<T>(_ name: String, _ problem: Problem, _ read: (String) -> T?) -> T? {
    guard let pair = query.first(name) else { return nil }
    guard let value = pair.value.flatMap(read) else {
      note(problem, name)
      return nil
    }
    return value
  }

  /// One of these words.
  mutating func choice<T>(_ name: String, _ choices: KeyValuePairs<String, T>) -> T? {
    value(name, .choice(choices.map(\.key))) { word in choices.first { $0.key == word }?.value }
  }

  /// A number from 0 on.
  mutating func count(_ name: String, upTo most: Int64) -> Int64? {
    guard let pair = query.first(name) else { return nil }
    switch WholeNumber(pair.value ?? "") {
    case .number(let number) where number <= most: return number
    case .number, .tooGreat: note(.above(most), name)
    case .negative: note(.below(0), name)
    case nil: note(.noInteger, name)
    }
    return nil
  }

  /// Yes or no.
  mutating func flag(_ name: String) -> Bool? { value(name, .noFlag, ParameterReader.flag) }

  /// A date with a time.
  mutating func time(_ name: String) -> Timestamp? {
    let zone = zone
    return value(name, .noTime) { RequestTime.read($0, zone: zone) }
  }

  /// Texts with commas between, at least one.
  mutating func list(_ name: String) -> [String]? {
    guard let text = text(name, isBad: .noList) else { return nil }
    guard !text.isEmpty else {
      note(.noList, name)
      return nil
    }
    return text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }

  /// UUIDs with commas between, at least one.
  mutating func uuids(_ name: String) -> [UUIDValue]? {
    guard let words = list(name) else { return nil }
    let uuids = words.map { UUIDValue($0) }
    let bad = uuids.indices.filter { uuids[$0] == nil }
    guard bad.isEmpty else {
      note(Problem(elements: bad.map { ($0, .noUUID) }), name)
      return nil
    }
    return uuids.compactMap(\.self)
  }

  /// Digits, perhaps with `_` before or behind them.
  mutating func number(_ name: String) -> String? {
    value(name, .pattern("^_?[0-9]+_?$")) { ParameterReader.isNumber($0) ? $0 : nil }
  }

  /// A conversation: two numbers with a dot between.
  mutating func conversation(_ name: String) -> String? {
    value(name, .pattern("^[0-9]+\\.[0-9]+$", "not a valid conversation identifier")) { text in
      let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
      return parts.count == 2 && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(ParameterReader.isDigit) } ? text : nil
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

  private static func isNumber(_ text: String) -> Bool {
    var digits = text.utf8[...]
    if digits.first == UInt8(ascii: "_") { digits.removeFirst() }
    if digits.last == UInt8(ascii: "_") { digits.removeLast() }
    return !digits.isEmpty && digits.allSatisfy(isDigit)
  }

  /// The words for yes and no, in small letters, in capitals, or with one capital before small
  /// letters.
  private static func flag(_ word: String) -> Bool? {
    let small = word.lowercased()
    guard word == small || word == small.uppercased() || word == small.prefix(1).uppercased() + small.dropFirst() else {
      return nil
    }
    return switch small {
    case "true", "t", "yes", "y", "on", "1": true
    case "false", "f", "no", "n", "off", "0": false
    default: nil
    }
  }
}

/// A whole number as text: ASCII digits, perhaps with a hyphen before them. `-0` is none: only some
/// readers take it for 0.
enum WholeNumber: Equatable {
  case number(Int64)
  /// One below 0; the least of 64 bits for one that they cannot hold.
  case negative(Int64)
  case tooGreat

  init?(_ text: String) {
    let isNegative = text.hasPrefix("-")
    let digits = text.utf8.dropFirst(isNegative ? 1 : 0)
    guard !digits.isEmpty, digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
    if isNegative {
      guard digits.contains(where: { $0 != UInt8(ascii: "0") }) else { return nil }
      self = .negative(Int64(text) ?? .min)
    } else {
      self = Int64(text).map { .number($0) } ?? .tooGreat
    }
  }
}
