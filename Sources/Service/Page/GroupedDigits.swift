extension BinaryInteger {
  /// The number with its digits in groups of three.
  func grouped(by separator: String) -> String {
    let digits = Array(String(magnitude))
    var out = self < 0 ? "-" : ""
    for (place, digit) in digits.enumerated() {
      if place > 0, (digits.count - place).isMultiple(of: 3) { out += separator }
      out.append(digit)
    }
    return out
  }
}
