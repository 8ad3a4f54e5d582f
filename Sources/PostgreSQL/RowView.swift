import Values

/// One row of a result. Each reader gives nil for NULL and for a column of another type.
public struct RowView {
  let result: ResultHandle
  let row: Int

  /// The number of columns.
  public var columnCount: Int { result.columnCount }

  /// Whether the value is NULL.
  public func isNull(_ column: Int) -> Bool { result.value(row, column) == nil }

  /// A number of type `smallint`, `integer`, `bigint` or `oid`.
  public func int64(_ column: Int) -> Int64? { result.value(row, column)?.int64 }

  /// A text; also `json`, `jsonb`, `name` and enumerations. Bytes that are not UTF-8 (in a database
  /// with SQL_ASCII) become U+FFFD.
  public func string(_ column: Int) -> String? { result.value(row, column)?.string }

  /// A `boolean`.
  public func bool(_ column: Int) -> Bool? { result.value(row, column)?.bool }

  /// A `uuid`.
  public func uuid(_ column: Int) -> UUIDValue? { result.value(row, column)?.uuid }

  /// A `timestamptz` in microseconds since 2000-01-01 UTC, or a `timestamp` as if it were UTC.
  /// `Int64.max` and `Int64.min` are the infinities.
  public func timestamp(_ column: Int) -> Int64? { result.value(row, column)?.timestamp }

  /// The half-open ranges of an `int8multirange`, or of an `int8range` as at most one range.
  /// Infinite bounds are `Int64.min` and `Int64.max`.
  public func ranges(_ column: Int) -> [Range<Int64>]? { result.value(row, column)?.ranges }

  /// An array of texts, without NULL elements.
  public func strings(_ column: Int) -> [String]? { result.value(row, column)?.strings }

  /// An array of integers, without NULL elements.
  public func integers(_ column: Int) -> [Int64]? { result.value(row, column)?.integers }

  /// The server's bytes; nil for NULL. The pointer is valid only inside the closure.
  /// - Throws: every error of the closure
  public func bytes<R, E: Error>(_ column: Int, _ body: (UnsafeRawBufferPointer?) throws(E) -> R) throws(E) -> R {
    defer { withExtendedLifetime(result) {} }
    return try body(result.value(row, column)?.bytes)
  }
}
