/// Writes CSV as in RFC 4180: commas, CRLF, quotes around cells that contain a comma, a quote or a
/// line break, and doubled quotes inside.
///
/// NULL and the empty text both become an empty cell.
public struct CSVWriter {
  /// The output so far.
  public private(set) var out: [UInt8]
  /// Whether the writer protects cells that a spreadsheet would read as formulas.
  public let isSpreadsheetSafe: Bool
  /// Whether a cell that is a telephone number stays as it is all the same.
  public let keepsTelephoneNumbers: Bool
  private var isFirst = true

  /// A writer that appends to `out`.
  ///
  /// - Parameters:
  ///   - isSpreadsheetSafe: whether to put a single quote before each cell that begins with `=`,
  ///     `+`, `-`, `@` (also as full-width characters), a tab or a line break, as OWASP recommends
  ///     against CSV injection. The same applies within a cell after a semicolon, a tab or a line
  ///     break, because a spreadsheet with another separator begins a cell there. Numbers such as
  ///     `+33123456789` get the quote too, because spreadsheets take them for formulas.
  ///   - keepsTelephoneNumbers: whether such numbers get no quote. A cell of digits, `+`, spaces
  ///     and parentheses names no function and no other cell, and so does no harm.
  public init(out: [UInt8] = [], isSpreadsheetSafe: Bool = false, keepsTelephoneNumbers: Bool = false) {
    (self.out, self.isSpreadsheetSafe, self.keepsTelephoneNumbers) = (out, isSpreadsheetSafe, keepsTelephoneNumbers)
  }

  /// Writes a cell with the bytes that `body` appends.
  public mutating func cell(_ body: (inout [UInt8]) -> Void) {
    if !isFirst { out.append(UInt8(ascii: ",")) }
    isFirst = false
    let start = out.count
    body(&out)
    guard out.count > start else { return }
    if isSpreadsheetSafe { disarm(from: start) }
    let isSafe = isSpreadsheetSafe
    if out[start...].contains(where: { byte in
      byte == UInt8(ascii: "\"") || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
        || isSafe && (byte == UInt8(ascii: ";") || byte == UInt8(ascii: "\t"))
    }) {
      quote(from: start)
    }
  }

  /// Writes a text.
  public mutating func text(_ value: Text) { cell { $0.append(contentsOf: value.bytes) } }

  /// Writes `True` or `False`; an empty cell for nil.
  public mutating func flag(_ value: Bool?) {
    cell { if let value { $0.append(contentsOf: (value ? "True" : "False").utf8) } }
  }

  /// Writes a number; an empty cell for nil.
  public mutating func number(_ value: Int64?) {
    cell { if let value { $0.append(contentsOf: String(value).utf8) } }
  }

  /// Writes a UUID; an empty cell for nil.
  public mutating func uuid(_ value: UUIDValue?) {
    cell { out in value?.forEachCharacter { out.append($0) } }
  }

  /// Writes a time in microseconds since 2000-01-01 UTC, such as `2026-03-02T08:00:00+00:00`. It
  /// has microseconds if they are not zero. Writes an empty cell for nil.
  public mutating func time(_ value: Int64?) {
    cell {
      guard let value else { return }
      TimestampText.appendWallClock(value, isShort: true, to: &$0)
      $0.append(contentsOf: "+00:00".utf8)
    }
  }

  /// Ends the row with CRLF.
  public mutating func endRow() {
    out.append(UInt8(ascii: "\r"))
    out.append(UInt8(ascii: "\n"))
    isFirst = true
  }

  /// Puts a single quote before each possible beginning of a formula.
  private mutating func disarm(from start: Int) {
    let cell = Array(out[start...])
    guard cell.contains(where: CSVWriter.mayBegin) else { return }
    if keepsTelephoneNumbers, cell.first == UInt8(ascii: "+"), cell.allSatisfy(CSVWriter.isOfTelephoneNumber) { return }
    out.removeSubrange(start...)
    var isBeginning = true
    for (index, byte) in cell.enumerated() {
      if isBeginning, CSVWriter.isFormula(cell[index...]) { out.append(UInt8(ascii: "'")) }
      out.append(byte)
      isBeginning =
        byte == UInt8(ascii: ";") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }
  }

  private static func isOfTelephoneNumber(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "+() ".utf8.contains(byte)
  }

  private static func mayBegin(_ byte: UInt8) -> Bool {
    [
      UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), UInt8(ascii: "\t"), UInt8(ascii: "\n"),
      UInt8(ascii: "\r"), 0xEF,
    ].contains(byte)
  }

  private mutating func quote(from start: Int) {
    let cell = Array(out[start...])
    out.removeSubrange(start...)
    out.append(UInt8(ascii: "\""))
    for byte in cell {
      if byte == UInt8(ascii: "\"") { out.append(UInt8(ascii: "\"")) }
      out.append(byte)
    }
    out.append(UInt8(ascii: "\""))
  }

  /// Whether a spreadsheet may read the cell as a formula.
  static func isFormula(_ cell: ArraySlice<UInt8>) -> Bool {
    switch cell.first {
    case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), UInt8(ascii: "\t"), UInt8(ascii: "\n"),
      UInt8(ascii: "\r"):
      return true
    case 0xEF:
      // ＝ ＋ － ＠: East Asian spreadsheets read them like their ASCII forms.
      let rest = cell.dropFirst().prefix(2)
      return rest.first == 0xBC && [0x9D, 0x8B, 0x8D, 0xA0].contains(rest.last ?? 0)
    default: return false
    }
  }
}
