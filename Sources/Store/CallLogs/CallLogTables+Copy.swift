import CallLogs
import PostgreSQL
import Values

extension CallLogTables {
  /// Copies call logs with their participants, destinations and recordings into the four tables.
  /// - Parameters:
  ///   - numbers: the positions of call logs in `batch`
  ///   - ids: their ids, in the same order
  ///   - deletedRecordings: recordings whose audio files are deleted; their path stays NULL
  /// - Throws: an error of PostgreSQL.
  public static func copy(
    _ numbers: [Int], ids: [Int32], of batch: CallLogBatch, deletedRecordings: Set<UUIDValue>, on connection: Connection
  ) throws {
    guard !numbers.isEmpty else { return }
    // The longest table takes about 512 bytes per call log, so the buffer need not grow.
    var writer = BinaryRowWriter(capacity: 512 * numbers.count)
    for table in CallLogRows.allCases {
      writer.reset()
      let rows = table.append(numbers, ids: ids, of: batch, deletedRecordings: deletedRecordings, to: &writer)
      guard rows > 0 else { continue }
      writer.trailer()
      // One COPY per table is cheaper than many, and the rows of a chunk take only a few megabytes.
      try writer.withBytes { bytes in
        _ = try connection.copyIn(
          "COPY \(table.target) FROM STDIN (FORMAT binary)", purpose: "Storing \(rows) \(table.rawValue)"
        ) { try $0.write(bytes) }
      }
    }
  }
}
