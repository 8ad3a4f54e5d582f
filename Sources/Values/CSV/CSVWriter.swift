/// Writes CSV as RFC 4180 has it: commas, CRLF, quotes only where a comma, a quote or a line break is in a cell, doubled quotes inside.
///
/// NULL and the empty text are both an empty cell.
public struct CSVWriter {
  /// What was written so far.
  public private(set) var out: [UInt8]
  /// Whether cells that a spreadsheet would take for a formula are disarmed.
  public let isSpreadsheetSafe: Bool
  private var isFirst = true

  /// A writer that appends to `out`.
  /// - Parameter isSpreadsheetSafe: puts a single quote before each cell that begins with `=`, `+`, `-`, `@` (also as full-width characters), a tab or a line break, as OWASP advises
  ///   against CSV injection; also within a cell, behind a semicolon, a tab or a line break, where a spreadsheet with another separator begins a cell. A number such as `+33123456789`
  ///   gets it, too: no spreadsheet tells it from a formula.
  public init(out: [UInt8] = [], isSpreadsheetSafe: Bool = false) {
    (self.out, self.isSpreadsheetSafe) = (out, isSpreadsheetSafe)
  }

  /// A cell of the bytes that `body` appends.
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

  /// A text.
  public mutating func text(_ value: Text) { cell { $0.append(contentsOf: value.bytes) } }

  /// `True` or `False`, empty for nil.
  public mutating func flag(_ value: Bool?) {
    cell { if let value { $0.append(contentsOf: (value ? "True" : "False").utf8) } }
  }

  /// A number, empty for nil.
  public mutating func number(_ value: Int64?) {
    cell { if let value { $0.append(contentsOf: String(value).utf8) } }
  }

  /// A uuid, empty for nil.
  public mutating func uuid(_ value: UUIDValue?) {
    cell { out in value?.forEachCharacter { out.append($0) } }
  }

  /// A time such as `2026-03-02T08:00:00+00:00`, with microseconds where they are not zero; empty for nil.
  public mutating func time(_ value: Int64?) {
    cell {
      guard let value else { return }
      TimestampText.appendWallClock(value, isShort: true, to: &$0)
      $0.append(contentsOf: "+00:00".utf8)
    }
  }

  /// Ends the row.
  public mutating func endRow() {
    out.append(UInt8(ascii: "\r"))
    out.append(UInt8(ascii: "\n"))
    isFirst = true
  }

  /// Puts a single quote before everything that a spreadsheet may take for the beginning of a formula.
  private mutating func disarm(from start: Int) {
    let cell = Array(out[start...])
    guard cell.contains(where: CSVWriter.mayBegin) else { return }
    out.removeSubrange(start...)
    var isBeginning = true
    for (index, byte) in cell.enumerated() {
      if isBeginning, CSVWriter.isFormula(cell[index...]) { out.append(UInt8(ascii: "'")) }
      out.append(byte)
      isBeginning =
        byte == UInt8(ascii: ";") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }
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

  /// Whether a spreadsheet may take a cell of these bytes for a formula.
  static func isFormula(_ cell: ArraySlice<UInt8>) -> Bool {
    switch cell.first {
    case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), UInt8(ascii: "\t"), UInt8(ascii: "\n"),
      UInt8(ascii: "\r"):
      return true
    case 0xEF:
      // ＝ ＋ － ＠, which spreadsheets of East Asia read as their narrow sisters.
      let rest = cell.dropFirst().prefix(2)
      return rest.first == 0xBC && [0x9D, 0x8B, 0x8D, 0xA0].contains(rest.last ?? 0)
    default: return false
    }
  }
}
