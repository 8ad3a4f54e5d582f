/// Text under construction, as UTF-8, written with string interpolation.
///
/// It may name a channel that has not started yet. The channel's name and uniqueid depend on other
/// calls until then, so the text holds only their places.
struct Template: ExpressibleByStringInterpolation {
  /// The mark before a channel's index, in the place of its name. Neither mark occurs in telephone
  /// text.
  static let nameMark: UInt8 = 1
  /// The mark before a channel's index, in the place of its uniqueid.
  static let uniqueidMark: UInt8 = 2

  var bytes: [UInt8]

  init(stringLiteral text: String) {
    bytes = Array(text.utf8)
  }

  init(stringInterpolation: StringInterpolation) {
    bytes = stringInterpolation.bytes
  }

  struct StringInterpolation: StringInterpolationProtocol {
    var bytes: [UInt8] = []

    init(literalCapacity: Int, interpolationCount: Int) {
      bytes.reserveCapacity(literalCapacity + interpolationCount * 24)
    }

    mutating func appendLiteral(_ text: String) {
      bytes.append(contentsOf: text.utf8)
    }

    mutating func appendInterpolation(_ text: [UInt8]) {
      bytes.append(contentsOf: text)
    }

    mutating func appendInterpolation(_ text: StaticString) {
      bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func appendInterpolation(_ number: Int) {
      bytes.append(contentsOf: String(number).utf8)
    }

    /// The future name of the channel.
    mutating func appendInterpolation(name channel: Int) {
      bytes.append(Template.nameMark)
      bytes.append(UInt8(truncatingIfNeeded: channel))
    }

    /// The future uniqueid of the channel.
    mutating func appendInterpolation(uniqueid channel: Int) {
      bytes.append(Template.uniqueidMark)
      bytes.append(UInt8(truncatingIfNeeded: channel))
    }

    /// Text as the inside of a JSON string.
    mutating func appendInterpolation(json text: [UInt8]) {
      for byte in text {
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
        bytes.append(byte)
      }
    }

    /// Text as the inside of an SQL string literal.
    mutating func appendInterpolation(sql text: [UInt8]) {
      for byte in text {
        if byte == UInt8(ascii: "'") { bytes.append(byte) }
        bytes.append(byte)
      }
    }

    /// Text percent-encoded as in a URI.
    mutating func appendInterpolation(percent text: [UInt8]) {
      for byte in text {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"):
          bytes.append(byte)
        default:
          bytes.append(UInt8(ascii: "%"))
          for digit in [hexadecimal(UInt64(byte >> 4)), hexadecimal(UInt64(byte))] {
            bytes.append(digit >= UInt8(ascii: "a") ? digit - 32 : digit)
          }
        }
      }
    }
  }
}
