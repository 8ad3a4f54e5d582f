/// Builds the rows of a `COPY … FROM STDIN (FORMAT binary)` in one growing buffer, without an allocation for each field.
///
/// The file header comes by itself before the first row, and again before the first row after `trailer()`. So the buffer may
/// be sent and emptied as often as one likes during a COPY, and used for the next one:
///
///     writer.beginRow(fields: 2)
///     writer.int8(1)
///     writer.null()
///     …
///     writer.trailer()
///     try writer.withBytes(copy.write)
public struct BinaryRowWriter: ~Copyable {
  private var buffer: ByteBuffer
  private var hasHeader = false
  private var fieldsLeft = 0

  /// "PGCOPY", bytes that reveal a damaged transmission, no flags, no header extension.
  static let header: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [0, 0, 0, 0] + [0, 0, 0, 0]

  /// An empty buffer.
  public init(capacity: Int = 64 * 1024) {
    buffer = ByteBuffer(capacity: capacity)
  }

  /// How many bytes there are.
  public var count: Int { buffer.count }

  /// Begins a row; exactly as many fields must follow.
  public mutating func beginRow(fields: Int) {
    assert(fieldsLeft == 0, "\(fieldsLeft) fields are missing in the row before")
    fieldsLeft = fields
    if !hasHeader { writeHeader() }
    buffer.append(Int16(fields))
  }

  /// NULL.
  public mutating func null() {
    countField()
    buffer.append(Int32(-1))
  }

  /// An `integer`.
  public mutating func int4(_ value: Int32) {
    countField()
    buffer.reserve(8)
    buffer.appendReserved(Int32(4))
    buffer.appendReserved(value)
  }

  /// A `bigint`.
  public mutating func int8(_ value: Int64) {
    countField()
    buffer.reserve(12)
    buffer.appendReserved(Int32(8))
    buffer.appendReserved(value)
  }

  /// A `boolean`.
  public mutating func bool(_ value: Bool) {
    countField()
    buffer.reserve(5)
    buffer.appendReserved(Int32(1))
    buffer.appendReserved(UInt8(value ? 1 : 0))
  }

  /// A `timestamptz`, or a `timestamp` without zone.
  public mutating func timestamptz(microsecondsSince2000 value: Int64) {
    int8(value)
  }

  /// A `text`, `varchar`, `json`, `bytea` or enumeration, by its bytes.
  public mutating func bytes(_ value: UnsafeRawBufferPointer) {
    countField()
    buffer.reserve(4 + value.count)
    buffer.appendReserved(Int32(value.count))
    buffer.append(value)
  }

  /// A `text`, `varchar`, `json` or enumeration.
  public mutating func text(_ value: String) {
    var value = value
    value.withUTF8 { bytes(UnsafeRawBufferPointer($0)) }
  }

  /// A `jsonb`, by its text.
  public mutating func jsonb(_ value: UnsafeRawBufferPointer) {
    countField()
    buffer.reserve(5 + value.count)
    buffer.append(Int32(value.count + 1))
    buffer.append(UInt8(1))
    buffer.append(value)
  }

  /// A `uuid`, the first byte on top.
  public mutating func uuid(high: UInt64, low: UInt64) {
    countField()
    buffer.reserve(20)
    buffer.appendReserved(Int32(16))
    buffer.appendReserved(high)
    buffer.appendReserved(low)
  }

  /// An array of texts or of anything else.
  public mutating func textArray(_ array: borrowing BinaryArray) {
    countField()
    buffer.append(Int32(array.byteCount))
    array.write(to: &buffer)
  }

  /// An `int8multirange`; `Int64.min` and `Int64.max` are infinite bounds.
  public mutating func int8Multirange(_ ranges: [Range<Int64>]) {
    countField()
    let start = buffer.count
    buffer.append(Int32(0))
    Multirange.write(ranges, to: &buffer)
    buffer.overwrite(Int32(buffer.count - start - 4), at: start)
  }

  /// Ends the COPY's data. What is written afterwards begins a new COPY.
  public mutating func trailer() {
    assert(fieldsLeft == 0, "\(fieldsLeft) fields are missing in the last row")
    if !hasHeader { writeHeader() }
    buffer.append(Int16(-1))
    hasHeader = false
  }

  /// The bytes so far. The pointer must not leave the closure.
  public borrowing func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try body(buffer.bytes)
  }

  /// Empties the buffer after its bytes were sent; the same COPY goes on.
  public mutating func removeAll(keepingCapacity: Bool = true) {
    buffer.removeAll(keepingCapacity: keepingCapacity)
  }

  /// Empties the buffer for a new COPY, wherever the last one was given up.
  public mutating func reset() {
    removeAll()
    hasHeader = false
    fieldsLeft = 0
  }

  private mutating func writeHeader() {
    BinaryRowWriter.header.withUnsafeBytes { buffer.append($0) }
    hasHeader = true
  }

  /// Too many or too few fields is a mistake in the program that the server would report only for the whole COPY.
  @inline(__always)
  private mutating func countField() {
    assert(fieldsLeft > 0, "more fields than the row has")
    fieldsLeft &-= 1
  }
}
