internal import CLibPQ

/// Owns an answer of libpq and frees it.
final class ResultHandle {
  let pointer: OpaquePointer
  let rowCount: Int
  let columnCount: Int

  init(_ pointer: OpaquePointer) {
    self.pointer = pointer
    rowCount = Int(PQntuples(pointer))
    columnCount = Int(PQnfields(pointer))
  }

  deinit { PQclear(pointer) }

  /// A value; nil for NULL. It is valid as long as this object.
  func value(_ row: Int, _ column: Int) -> BinaryValue? {
    precondition(row >= 0 && row < rowCount && column >= 0 && column < columnCount, "no row \(row), column \(column)")
    let (row, column) = (Int32(truncatingIfNeeded: row), Int32(truncatingIfNeeded: column))
    guard PQgetisnull(pointer, row, column) == 0, let start = PQgetvalue(pointer, row, column) else { return nil }
    let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(pointer, row, column)))
    return BinaryValue(type: PQftype(pointer, column), bytes: bytes)
  }

  func columnName(_ column: Int) -> String {
    PQfname(pointer, Int32(truncatingIfNeeded: column)).map { String(cString: $0) } ?? ""
  }

  func columnType(_ column: Int) -> UInt32 {
    PQftype(pointer, Int32(truncatingIfNeeded: column))
  }
}
