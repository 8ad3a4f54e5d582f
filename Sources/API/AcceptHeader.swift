/// What a client says of the forms of answers that it takes: the header `Accept`.
public struct AcceptHeader: Sendable {
  private struct Range {
    let type: Substring
    let subtype: Substring
    let parameters: [String]
    let quality: Double

    /// How much it says: ranges that say more go before those that say less.
    var weight: Int { (type == "*" ? 0 : 1) + (subtype == "*" ? 0 : 1) + parameters.count }

    func takes(_ type: String, _ subtype: String, _ parameters: [String]) -> Bool {
      if self.type == "*" { return self.subtype == "*" }
      return self.type == type && (self.subtype == "*" || self.subtype == subtype && self.parameters == parameters)
    }
  }

  private let ranges: [Range]

  /// Reads it; what is no range of forms is left out.
  /// - Parameter header: nil where there is none
  public init(_ header: String?) {
    let ranges = (header ?? "").lowercased().split(separator: ",").compactMap(AcceptHeader.range)
    self.ranges = ranges.sorted { ($0.weight, $0.quality) > ($1.weight, $1.quality) }
  }

  /// Whether a list of call logs should be CSV: where `text/csv; charset=utf-8` is taken more
  /// gladly than JSON.
  ///
  /// `text/csv` alone is another form, of unknown charset, and gives JSON.
  public var prefersCSV: Bool {
    quality("text", "csv", ["charset=utf-8"]) > quality("application", "json", [])
  }

  private func quality(_ type: String, _ subtype: String, _ parameters: [String]) -> Double {
    ranges.first { $0.takes(type, subtype, parameters) }?.quality ?? 0
  }

  private static func range(_ text: Substring) -> Range? {
    let parts = text.split(separator: ";").map { $0.filter { !$0.isWhitespace && $0 != "\"" } }
    guard let names = parts.first?.split(separator: "/"), names.count == 2 else { return nil }
    var quality = 1.0
    var parameters: [String] = []
    for part in parts.dropFirst() {
      if part.hasPrefix("q=") {
        quality = Double(part.dropFirst(2)).map { min(1, max(0, $0)) } ?? 0
      } else if !part.isEmpty {
        parameters.append(part)
      }
    }
    return Range(type: names[0], subtype: names[1], parameters: parameters.sorted(), quality: quality)
  }
}
