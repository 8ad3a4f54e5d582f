import Values

/// The rows that a query gave. Each reader gives nil for NULL, and for a column of another type; rows and columns count from 0.
public struct Rows: RandomAccessCollection {
  let result: ResultHandle

  /// How many rows there are.
  public var count: Int { result.rowCount }
  /// The first row's number.
  public var startIndex: Int { 0 }
  /// The number of rows.
  public var endIndex: Int { result.rowCount }
  /// How many columns each row has.
  public var columnCount: Int { result.columnCount }
  /// The names of the columns.
  public var columnNames: [String] { (0..<columnCount).map(result.columnName) }
  /// The server's numbers (oid) of the columns' types.
  public var columnTypes: [UInt32] { (0..<columnCount).map(result.columnType) }

  /// One row.
  public subscript(row: Int) -> RowView {
    precondition(row >= 0 && row < result.rowCount, "no row \(row)")
    return RowView(result: result, row: row)
  }

  /// Whether a value is NULL.
  public func isNull(_ row: Int, _ column: Int) -> Bool { self[row].isNull(column) }

  /// A number of type `smallint`, `integer`, `bigint` or `oid`.
  public func int64(_ row: Int, _ column: Int) -> Int64? { self[row].int64(column) }

  /// A text; also `json`, `jsonb`, `name` and enumerations.
  public func string(_ row: Int, _ column: Int) -> String? { self[row].string(column) }

  /// A `boolean`.
  public func bool(_ row: Int, _ column: Int) -> Bool? { self[row].bool(column) }

  /// A `uuid`.
  public func uuid(_ row: Int, _ column: Int) -> UUIDValue? { self[row].uuid(column) }

  /// A `timestamptz` or `timestamp`, in microseconds since 2000-01-01.
  public func timestamp(_ row: Int, _ column: Int) -> Int64? { self[row].timestamp(column) }

  /// An `int8multirange` or `int8range`; infinite bounds are `Int64.min` and `Int64.max`.
  public func ranges(_ row: Int, _ column: Int) -> [Range<Int64>]? { self[row].ranges(column) }

  /// An array of texts; elements that are NULL are left out.
  public func strings(_ row: Int, _ column: Int) -> [String]? { self[row].strings(column) }

  /// An array of integers; elements that are NULL are left out.
  public func integers(_ row: Int, _ column: Int) -> [Int64]? { self[row].integers(column) }

  /// The value as the server sent it, nil for NULL; the pointer must not leave the closure.
  public func bytes<R, E: Error>(
    _ row: Int, _ column: Int, _ body: (UnsafeRawBufferPointer?) throws(E) -> R
  ) throws(E) -> R {
    try self[row].bytes(column, body)
  }
}
