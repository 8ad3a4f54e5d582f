import Values

/// One row of a result. Each reader gives nil for NULL, and for a column of another type.
public struct RowView {
  let result: ResultHandle
  let row: Int

  /// How many columns the row has.
  public var columnCount: Int { result.columnCount }

  /// Whether a column is NULL.
  public func isNull(_ column: Int) -> Bool { result.value(row, column) == nil }

  /// A number of type `smallint`, `integer`, `bigint` or `oid`.
  public func int64(_ column: Int) -> Int64? { result.value(row, column)?.int64 }

  /// A text; also `json`, `jsonb`, `name` and enumerations. Bytes that are no UTF-8 (a database in SQL_ASCII) become U+FFFD.
  public func string(_ column: Int) -> String? { result.value(row, column)?.string }

  /// A `boolean`.
  public func bool(_ column: Int) -> Bool? { result.value(row, column)?.bool }

  /// A `uuid`.
  public func uuid(_ column: Int) -> UUIDValue? { result.value(row, column)?.uuid }

  /// A `timestamptz`; or a `timestamp`, counted as if it were UTC.
  /// `Int64.max` and `Int64.min` are the infinities.
  public func timestamp(_ column: Int) -> Int64? { result.value(row, column)?.timestamp }

  /// An `int8multirange`, or an `int8range` as none or one, with half-open ranges; infinite bounds are `Int64.min` and `Int64.max`.
  public func ranges(_ column: Int) -> [Range<Int64>]? { result.value(row, column)?.ranges }

  /// An array of texts; elements that are NULL are left out.
  public func strings(_ column: Int) -> [String]? { result.value(row, column)?.strings }

  /// An array of integers; elements that are NULL are left out.
  public func integers(_ column: Int) -> [Int64]? { result.value(row, column)?.integers }

  /// The value as the server sent it, nil for NULL; the pointer must not leave the closure.
  public func bytes<R, E: Error>(_ column: Int, _ body: (UnsafeRawBufferPointer?) throws(E) -> R) throws(E) -> R {
    defer { withExtendedLifetime(result) {} }
    return try body(result.value(row, column)?.bytes)
  }
}
