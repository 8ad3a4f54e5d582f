/// Builds the rows of a `COPY … FROM STDIN (FORMAT binary)` in one growing buffer, without an
/// allocation for each field.
///
/// The writer adds the file header before the first row, and again before the first row after
/// `trailer()`. So the caller may send and empty the buffer at any time during a COPY, and use it
/// for the next COPY:
///
///     writer.beginRow(fields: 2)
///     writer.int8(1)
///     writer.null()
///     …
///     writer.trailer()
///     try writer.withBytes(copy.write)
///
/// Source: PostgreSQL documentation, COPY, "Binary Format".
public struct BinaryRowWriter: ~Copyable {
  private var buffer: ByteBuffer
  private var hasHeader = false
  private var fieldsLeft = 0

  /// "PGCOPY", bytes that reveal a damaged transmission, no flags, no header extension.
  static let header: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [0, 0, 0, 0] + [0, 0, 0, 0]

  /// An empty buffer with room for `capacity` bytes.
  public init(capacity: Int = 64 * 1024) {
    buffer = ByteBuffer(capacity: capacity)
  }

  /// The number of bytes in the buffer.
  public var count: Int { buffer.count }

  /// Begins a row. Exactly `fields` fields must follow.
  public mutating func beginRow(fields: Int) {
    assert(fieldsLeft == 0, "\(fieldsLeft) fields are missing in the previous row")
    fieldsLeft = fields
    if !hasHeader { writeHeader() }
    buffer.append(Int16(fields))
  }

  /// Writes NULL.
  public mutating func null() {
    countField()
    buffer.append(Int32(-1))
  }

  /// Writes an `integer`.
  public mutating func int4(_ value: Int32) {
    countField()
    buffer.reserve(8)
    buffer.appendReserved(Int32(4))
    buffer.appendReserved(value)
  }

  /// Writes a `bigint`.
  public mutating func int8(_ value: Int64) {
    countField()
    buffer.reserve(12)
    buffer.appendReserved(Int32(8))
    buffer.appendReserved(value)
  }

  /// Writes a `boolean`.
  public mutating func bool(_ value: Bool) {
    countField()
    buffer.reserve(5)
    buffer.appendReserved(Int32(1))
    buffer.appendReserved(UInt8(value ? 1 : 0))
  }

  /// Writes a `timestamptz`, or a `timestamp` without time zone.
  public mutating func timestamptz(microsecondsSince2000 value: Int64) {
    int8(value)
  }

  /// Writes a `text`, `varchar`, `json`, `bytea` or enumeration by its bytes.
  public mutating func bytes(_ value: UnsafeRawBufferPointer) {
    countField()
    buffer.reserve(4 + value.count)
    buffer.appendReserved(Int32(value.count))
    buffer.append(value)
  }

  /// Writes a `text`, `varchar`, `json` or enumeration.
  public mutating func text(_ value: String) {
    var value = value
    value.withUTF8 { bytes(UnsafeRawBufferPointer($0)) }
  }

  /// Writes a `jsonb` by its text.
  public mutating func jsonb(_ value: UnsafeRawBufferPointer) {
    countField()
    buffer.reserve(5 + value.count)
    buffer.append(Int32(value.count + 1))
    buffer.append(UInt8(1))
    buffer.append(value)
  }

  /// Writes a `uuid`. Its first byte is the highest one of `high`.
  public mutating func uuid(high: UInt64, low: UInt64) {
    countField()
    buffer.reserve(20)
    buffer.appendReserved(Int32(16))
    buffer.appendReserved(high)
    buffer.appendReserved(low)
  }

  /// Writes an array of any type.
  public mutating func textArray(_ array: borrowing BinaryArray) {
    countField()
    buffer.append(Int32(array.byteCount))
    array.write(to: &buffer)
  }

  /// Writes an `int8multirange`. `Int64.min` and `Int64.max` are infinite bounds.
  public mutating func int8Multirange(_ ranges: [Range<Int64>]) {
    countField()
    let start = buffer.count
    buffer.append(Int32(0))
    Multirange.write(ranges, to: &buffer)
    buffer.overwrite(Int32(buffer.count - start - 4), at: start)
  }

  /// Ends the data of the COPY. The next row begins a new COPY.
  public mutating func trailer() {
    assert(fieldsLeft == 0, "\(fieldsLeft) fields are missing in the last row")
    if !hasHeader { writeHeader() }
    buffer.append(Int16(-1))
    hasHeader = false
  }

  /// Gives the bytes of the buffer to `body`. The pointer is valid only inside the closure.
  public borrowing func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try body(buffer.bytes)
  }

  /// Empties the buffer after sending. The COPY continues.
  public mutating func removeAll(keepingCapacity: Bool = true) {
    buffer.removeAll(keepingCapacity: keepingCapacity)
  }

  /// Empties the buffer for a new COPY, also after an abandoned one.
  public mutating func reset() {
    removeAll()
    hasHeader = false
    fieldsLeft = 0
  }

  private mutating func writeHeader() {
    BinaryRowWriter.header.withUnsafeBytes { buffer.append($0) }
    hasHeader = true
  }

  /// The assertion finds a wrong number of fields early. The server would report it only for the
  /// whole COPY.
  @inline(__always)
  private mutating func countField() {
    assert(fieldsLeft > 0, "more fields than the row has")
    fieldsLeft &-= 1
  }
}
