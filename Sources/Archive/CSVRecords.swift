/// Counts the records of PostgreSQL's CSV, in pieces of any size, and keeps the first one.
struct CSVRecords {
  /// The number of complete records, with the header.
  private(set) var count = 0
  /// The bytes of the first record, which names the columns; nil where it is longer than 64 KiB,
  /// which this program never writes.
  private(set) var header: [UInt8]? = []
  private var isQuoted = false
  private var isAtStart = true

  /// Whether the last record is complete.
  var isComplete: Bool { isAtStart && !isQuoted }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    guard !bytes.isEmpty else { return }
    var start = 0
    if count == 0 {
      while start < bytes.count, count == 0 {
        let byte = bytes[start]
        if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
        if byte == UInt8(ascii: "\n"), !isQuoted { count = 1 } else { header?.append(byte) }
        if header?.count ?? 0 > 1 << 16 { header = nil }
        start += 1
      }
    }
    // A doubled quote ends the quoted text and starts it again at once, so it needs no special
    // case.
    var quoted = isQuoted
    var records = count
    while start < bytes.count {
      let end = min(start + 8, bytes.count)
      defer { start = end }
      if end - start == 8 {
        let word = bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)
        if CSVRecords.marks(of: "\"", in: word) == 0 {
          // Most words have no quote.
          if !quoted { records += CSVRecords.marks(of: "\n", in: word).nonzeroBitCount }
          continue
        }
      }
      for index in start..<end {
        let byte = bytes[index]
        if byte == UInt8(ascii: "\"") { quoted.toggle() } else if byte == UInt8(ascii: "\n"), !quoted { records += 1 }
      }
    }
    (isQuoted, count) = (quoted, records)
    isAtStart = bytes[bytes.count - 1] == UInt8(ascii: "\n")
  }

  /// Marks each of the eight bytes that is this character with a bit.
  static func marks(of character: Unicode.Scalar, in word: UInt64) -> UInt64 {
    let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
    let difference = word ^ (UInt64(character.value) &* 0x0101_0101_0101_0101)
    return ~(((difference & low) &+ low) | difference | low)
  }

  /// The first line for these columns, as PostgreSQL writes it.
  static func header(of columns: [Manifest.Column]) -> [UInt8] {
    var line: [UInt8] = []
    for column in columns {
      if !line.isEmpty { line.append(UInt8(ascii: ",")) }
      let name = Array(column.name.utf8)
      // PostgreSQL quotes a name like any value: if it contains a delimiter, a quote or a line
      // break.
      if name.contains(where: { [UInt8(ascii: "\""), UInt8(ascii: ","), UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains($0) })
        || name.isEmpty || column.name == "\\."
      {
        line +=
          [UInt8(ascii: "\"")] + name.flatMap { $0 == UInt8(ascii: "\"") ? [UInt8(ascii: "\""), UInt8(ascii: "\"")] : [$0] } + [
            UInt8(ascii: "\"")
          ]
      } else {
        line += name
      }
    }
    return line
  }
}
