/// The warning for an unknown key, with the nearest known key.
enum UnknownKey {
  static func warning(
    _ key: String, at place: String, known: [String] = Settings.Key.allCases.map(\.rawValue)
  ) -> String {
    let nearest = known.map { (key: $0, distance: distance(key.lowercased(), $0)) }
      .min { $0.distance < $1.distance }
    let hint = nearest.map { $0.distance * 2 <= $0.key.count ? "; the nearest is \($0.key)" : "" } ?? ""
    return "\(place): \(key) is not a setting\(hint)"
  }

  /// The least number of characters to insert, delete or replace in order to turn `a` into `b`
  /// (Levenshtein distance).
  static func distance(_ a: String, _ b: String) -> Int {
    let b = Array(b)
    var row = Array(0...b.count)
    for (i, character) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, other) in b.enumerated() {
        let replaced = diagonal + (character == other ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}
