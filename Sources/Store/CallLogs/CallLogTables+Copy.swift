import CallLogs
import PostgreSQL
import Values

extension CallLogTables {
  /// Copies call logs with their participants, destinations and recordings into the four tables.
  /// - Parameters:
  ///   - numbers: which call logs of `batch`
  ///   - ids: their ids, in the same order
  ///   - deletedRecordings: recordings whose audio is gone: their path stays NULL
  public static func copy(
    _ numbers: [Int], ids: [Int32], of batch: CallLogBatch, deletedRecordings: Set<UUIDValue>, on connection: Connection
  ) throws {
    guard !numbers.isEmpty else { return }
    // About what the longest table takes, so that the buffer need not grow.
    var writer = BinaryRowWriter(capacity: 512 * numbers.count)
    for table in CallLogRows.allCases {
      writer.reset()
      let rows = table.append(numbers, ids: ids, of: batch, deletedRecordings: deletedRecordings, to: &writer)
      guard rows > 0 else { continue }
      writer.trailer()
      // Kept whole until here: a chunk's rows are a few megabytes, and one COPY per table is cheaper than many.
      try writer.withBytes { bytes in
        _ = try connection.copyIn(
          "COPY \(table.target) FROM STDIN (FORMAT binary)", purpose: "Storing \(rows) \(table.rawValue)"
        ) { try $0.write(bytes) }
      }
    }
  }
}
