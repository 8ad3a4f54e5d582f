/// Reads CSV strictly by the grammar of RFC 4180, and knows nothing of the writer.
enum PlainCSV {
  struct Broken: Error {
    let offset: Int
  }

  /// The records of a file in which each ends with CRLF.
  static func read(_ bytes: [UInt8]) throws -> [[[UInt8]]] {
    var records: [[[UInt8]]] = []
    var record: [[UInt8]] = []
    var at = 0
    while at < bytes.count {
      var cell: [UInt8] = []
      if bytes[at] == 0x22 {
        at += 1
        while true {
          guard at < bytes.count else { throw Broken(offset: at) }
          if bytes[at] == 0x22 {
            at += 1
            guard at < bytes.count, bytes[at] == 0x22 else { break }
          }
          cell.append(bytes[at])
          at += 1
        }
      } else {
        while at < bytes.count, ![0x2C, 0x0D, 0x0A].contains(bytes[at]) {
          guard bytes[at] != 0x22 else { throw Broken(offset: at) }
          cell.append(bytes[at])
          at += 1
        }
      }
      record.append(cell)
      guard at < bytes.count else { throw Broken(offset: at) }
      if bytes[at] == 0x2C {
        at += 1
      } else {
        guard at + 1 < bytes.count, bytes[at] == 0x0D, bytes[at + 1] == 0x0A else { throw Broken(offset: at) }
        at += 2
        records.append(record)
        record = []
      }
    }
    guard record.isEmpty else { throw Broken(offset: at) }
    return records
  }

  /// The same as texts.
  static func texts(_ bytes: [UInt8]) throws -> [[String]] {
    try read(bytes).map { $0.map { String(decoding: $0, as: UTF8.self) } }
  }
}
