import CallLogs
import PostgreSQL
import Simulation
import Values

/// CELs in memory, in the form in which `COPY … TO STDOUT (FORMAT binary)` sends them: the
/// columns that ``CELTable`` reads, one message for each row.
package struct CopiedCELs: ~Copyable {
  private var writer = BinaryRowWriter()
  private var ends: [Int] = []

  /// The number of CELs.
  package var count: Int { ends.count }

  /// Their size in bytes.
  package var bytes: Int { writer.count }

  package init() {}

  /// Adds a row. The first one begins with the header, as the server sends it.
  mutating func append(_ columns: CELColumns) {
    writer.beginRow(fields: 3 + CELColumns.Name.allCases.count)
    writer.int8(columns.id)
    if let time = columns.time { writer.timestamptz(microsecondsSince2000: time) } else { writer.null() }
    writer.null()
    for name in CELColumns.Name.allCases {
      if columns[name].isNull { writer.null() } else { writer.bytes(UnsafeRawBufferPointer(columns[name].bytes)) }
    }
    ends.append(writer.count)
  }

  /// Calls the closure with each message in order.
  borrowing func forEachMessage(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    try writer.withBytes { bytes in
      var start = 0
      for end in ends {
        try body(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        start = end
      }
    }
  }

  mutating func removeAll() {
    writer.reset()
    ends.removeAll(keepingCapacity: true)
  }

  /// Simulates calls and returns their CELs in chunks of at most `size`.
  /// - Throws: an error for options that cannot be simulated
  package static func chunks(
    of size: Int, calls simulation: Simulation, _ body: (borrowing CopiedCELs) throws -> Void
  ) throws {
    var chunk = CopiedCELs()
    var reader = CSVReader()
    var record: CELRecord?
    var tally = Tally()
    let scratch = TextArena()
    func take(_ fields: [Text], _ line: Int) throws {
      guard record != nil else { return record = try CELRecord(header: fields) { $0 } }
      guard let columns = try record?.columns(fields, line: line, arena: scratch, tally: &tally) else { return }
      chunk.append(columns)
      scratch.removeAll()
      guard chunk.count == size else { return }
      try body(chunk)
      chunk.removeAll()
    }
    try simulation.writeCELs { try reader.read($0, record: take) }
    try reader.finish(record: take)
    if chunk.count > 0 { try body(chunk) }
  }
}
