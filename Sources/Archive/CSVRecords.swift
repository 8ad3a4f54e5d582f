/// Counts the records of PostgreSQL's CSV in pieces of any size, and looks at the first one.
struct CSVRecords {
  /// Records that have ended.
  private(set) var count = 0
  /// The bytes of the first record, the names of the columns; nil where they are longer than anything we write.
  private(set) var header: [UInt8]? = []
  private var isQuoted = false
  private var isAtStart = true

  /// Whether the last record is whole.
  var isComplete: Bool { isAtStart && !isQuoted }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    guard !bytes.isEmpty else { return }
    var start = 0
    if count == 0 {
      while start < bytes.count, count == 0 {
        let byte = bytes[start]
        if byte == 0x22 { isQuoted.toggle() }
        if byte == 0x0A, !isQuoted { count = 1 } else { header?.append(byte) }
        if header?.count ?? 0 > 1 << 16 { header = nil }
        start += 1
      }
    }
    // A doubled quote ends the quoted part and begins it anew, which comes to the same.
    var quoted = isQuoted
    var records = count
    while start < bytes.count {
      let end = min(start + 8, bytes.count)
      defer { start = end }
      if end - start == 8 {
        let word = bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)
        if CSVRecords.marks(of: 0x22, in: word) == 0 {
          // As most words are.
          if !quoted { records += CSVRecords.marks(of: 0x0A, in: word).nonzeroBitCount }
          continue
        }
      }
      for index in start..<end {
        let byte = bytes[index]
        if byte == 0x22 { quoted.toggle() } else if byte == 0x0A, !quoted { records += 1 }
      }
    }
    (isQuoted, count) = (quoted, records)
    isAtStart = bytes[bytes.count - 1] == 0x0A
  }

  /// A bit for each of eight bytes that is this one.
  static func marks(of byte: UInt64, in word: UInt64) -> UInt64 {
    let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
    let difference = word ^ (byte &* 0x0101_0101_0101_0101)
    return ~(((difference & low) &+ low) | difference | low)
  }

  /// The first line for these columns, as PostgreSQL writes it.
  static func header(of columns: [Manifest.Column]) -> [UInt8] {
    var line: [UInt8] = []
    for column in columns {
      if !line.isEmpty { line.append(0x2C) }
      let name = Array(column.name.utf8)
      // PostgreSQL quotes as any value: where a delimiter, a quote or a line break is in it.
      if name.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) || name.isEmpty || column.name == "\\." {
        line += [0x22] + name.flatMap { $0 == 0x22 ? [0x22, 0x22] : [$0] } + [0x22]
      } else {
        line += name
      }
    }
    return line
  }
}
