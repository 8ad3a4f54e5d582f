/// The parameters of a request: what stands behind the `?` of its URL.
public struct QueryString: Sendable {
  /// A parameter.
  public struct Pair: Equatable, Sendable {
    /// Its name.
    public let name: String
    /// Its value; nil for one that is no UTF-8.
    public let value: String?

    /// A parameter of these.
    public init(name: String, value: String?) { (self.name, self.value) = (name, value) }
  }

  /// In the order of the URL.
  public let pairs: [Pair]

  /// Reads what stands behind the `?`, as a browser's form writes it: `+` is a space, and `%` with
  /// two digits is a byte. A `%` without them stands for itself. A name that is no UTF-8 is
  /// nobody's, and left out.
  public init(_ text: some StringProtocol) {
    pairs = text.utf8.split(separator: UInt8(ascii: "&")).compactMap { part in
      let equals = part.firstIndex(of: UInt8(ascii: "="))
      guard let name = QueryString.decode(part[..<(equals ?? part.endIndex)]) else { return nil }
      return Pair(name: name, value: equals.map { QueryString.decode(part[part.index(after: $0)...]) } ?? "")
    }
  }

  /// The first parameter of a name, which is the one that counts.
  public func first(_ name: String) -> Pair? { pairs.first { $0.name == name } }

  private static func decode(_ bytes: some Collection<UInt8>) -> String? {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var rest = Array(bytes)[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "+"): decoded.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        let digits = rest.prefix(2).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        if digits.count == 2 {
          decoded.append(UInt8(truncatingIfNeeded: digits[0] << 4 | digits[1]))
          rest = rest.dropFirst(2)
        } else {
          decoded.append(byte)
        }
      default: decoded.append(byte)
      }
    }
    return String(validating: decoded, as: UTF8.self)
  }
}
