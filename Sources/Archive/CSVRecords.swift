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
    for index in start..<bytes.count {
      let byte = bytes[index]
      if byte == 0x22 { quoted.toggle() } else if byte == 0x0A, !quoted { records += 1 }
    }
    (isQuoted, count) = (quoted, records)
    isAtStart = bytes[bytes.count - 1] == 0x0A
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
