import Files

/// Reads the integers of one column from PostgreSQL's CSV, in pieces of any size.
struct CSVNumbers {
  private let column: Int
  private var field = 0
  private var isHeader = true
  private var isQuoted = false
  private var magnitude: UInt64 = 0
  private var isNegative = false
  private var digits = 0
  private var isNumber = true

  /// Creates a reader.
  ///
  /// - Parameter column: the position of the column, from 0
  init(column: Int) { self.column = column }

  /// Reads the next piece.
  /// - Parameter body: called with the number of each row; nil where the row has none
  mutating func add(_ bytes: UnsafeRawBufferPointer, _ body: (Int64?) throws -> Void) rethrows {
    var index = 0
    while index < bytes.count {
      if isHeader || field != column { skip(bytes, &index) }
      guard index < bytes.count else { return }
      let byte = bytes[index]
      index += 1
      if byte == UInt8(ascii: "\"") {
        isQuoted.toggle()
      } else if !isQuoted, byte == UInt8(ascii: "\n") || byte == UInt8(ascii: ",") {
        if !isHeader, field == column { try body(take()) }
        if byte == UInt8(ascii: "\n") { (field, isHeader) = (0, false) } else { field += 1 }
      } else if !isHeader, field == column {
        add(byte)
      }
    }
  }

  /// Skips words of eight bytes in which neither the field nor the row can end.
  private func skip(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) {
    // After the wanted column, commas do not matter.
    let comma: Unicode.Scalar = isHeader || field > column ? "\n" : ","
    while index + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      guard CSVRecords.marks(of: "\"", in: word) == 0 else { return }
      guard isQuoted || CSVRecords.marks(of: "\n", in: word) | CSVRecords.marks(of: comma, in: word) == 0 else { return }
      index += 8
    }
  }

  private mutating func add(_ byte: UInt8) {
    if byte == UInt8(ascii: "-"), digits == 0, !isNegative {
      isNegative = true
      return
    }
    let digit = byte &- UInt8(ascii: "0")
    // Nineteen digits never overflow the magnitude.
    guard digit < 10, digits < 19 else {
      isNumber = false
      return
    }
    magnitude = magnitude * 10 + UInt64(digit)
    digits += 1
  }

  private mutating func take() -> Int64? {
    defer { (magnitude, isNegative, digits, isNumber) = (0, false, 0, true) }
    guard isNumber, digits > 0 else { return nil }
    if !isNegative { return Int64(exactly: magnitude) }
    return magnitude == 1 << 63 ? .min : Int64(exactly: magnitude).map { -$0 }
  }
}

extension ArchiveReader {
  /// Reads a file as ``read(_:in:stop:sink:)`` does, and checks its ids. The ids of the first
  /// file's rows must begin and end as the manifest says. The call-log ids of the other files' rows
  /// must lie between.
  /// - Parameters:
  ///   - ids: the smallest and greatest id of the part's rows
  ///   - body: called with the id of each row
  /// - Throws: ``FileError`` that names the file and the damage; the error of `stop`.
  static func readIDs(
    _ file: Manifest.File, within ids: ClosedRange<Int64>?, in folder: Folder, stop: () throws -> Void,
    _ body: (Int64) -> Void = { _ in }
  ) throws {
    func damaged(_ what: String) -> FileError { FileError(.damaged, "\(folder.path)/\(file.name) \(what)") }
    let name = file.content.idColumn
    guard let column = file.columns.firstIndex(where: { $0.name == name }) else { throw damaged("has no column \(name)") }
    guard let ids else { throw damaged("has ids, but its manifest names none") }
    var numbers = CSVNumbers(column: column)
    var (least, greatest, hasOther) = (Int64.max, Int64.min, false)
    try read(file, in: folder, stop: stop) { piece in
      numbers.add(piece) { id in
        guard let id else {
          hasOther = true
          return
        }
        (least, greatest) = (min(least, id), max(greatest, id))
        body(id)
      }
    }
    guard !hasOther else { throw damaged("has a row without an id in the column \(name)") }
    guard file.rows > 0 else { return }
    guard ids.contains(least), ids.contains(greatest), name != "id" || least...greatest == ids else {
      throw damaged(
        "has ids from \(least) to \(greatest); its manifest says from \(ids.lowerBound) to \(ids.upperBound)")
    }
  }
}
