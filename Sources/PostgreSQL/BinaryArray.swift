import Values

/// A one-dimensional PostgreSQL array, built in the server's binary form without a String for each element.
public struct BinaryArray: Sendable {
  /// What an array can hold.
  public enum Element: Sendable {
    /// `text`, as UTF-8.
    case text
    /// `character varying`, as UTF-8; the server tells it from `text` in binary.
    case varchar
    /// `integer`.
    case int4
    /// `bigint`.
    case int8
    /// `uuid`.
    case uuid

    var oid: UInt32 {
      switch self {
      case .text: TypeOID.text
      case .varchar: TypeOID.varchar
      case .int4: TypeOID.int4
      case .int8: TypeOID.int8
      case .uuid: TypeOID.uuid
      }
    }

    var arrayOID: UInt32 {
      switch self {
      case .text: TypeOID.textArray
      case .varchar: TypeOID.varcharArray
      case .int4: TypeOID.int4Array
      case .int8: TypeOID.int8Array
      case .uuid: TypeOID.uuidArray
      }
    }
  }

  /// What the array holds.
  public let element: Element
  /// How many elements there are.
  public private(set) var count = 0
  private var hasNull = false
  private var elements: [UInt8] = []

  /// An empty array.
  public init(_ element: Element) {
    self.element = element
  }

  /// Adds an element by its bytes: UTF-8 text, or 4, 8 or 16 bytes with the most significant first.
  public mutating func append(_ bytes: UnsafeRawBufferPointer) {
    appendInteger(Int32(bytes.count))
    elements.append(contentsOf: bytes)
    count += 1
  }

  /// Adds a number to an array of `int8`.
  public mutating func append(_ value: Int64) {
    precondition(element == .int8, "a bigint in an array of \(element)")
    appendInteger(Int32(8))
    appendInteger(value)
    count += 1
  }

  /// Adds a number, to an array of `int4` or `int8`.
  public mutating func append(_ value: Int32) {
    guard element == .int4 else { return append(Int64(value)) }
    appendInteger(Int32(4))
    appendInteger(value)
    count += 1
  }

  /// Adds a text to an array of `text`.
  public mutating func append(_ value: String) {
    precondition(element == .text, "a text in an array of \(element)")
    var value = value
    value.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  /// Adds a UUID to an array of `uuid`.
  public mutating func append(_ value: UUIDValue) {
    precondition(element == .uuid, "a UUID in an array of \(element)")
    appendInteger(Int32(16))
    appendInteger(value.high)
    appendInteger(value.low)
    count += 1
  }

  /// Adds NULL.
  public mutating func appendNull() {
    appendInteger(Int32(-1))
    hasNull = true
    count += 1
  }

  /// Empties the array and keeps its memory.
  public mutating func removeAll() {
    elements.removeAll(keepingCapacity: true)
    count = 0
    hasNull = false
  }

  private mutating func appendInteger<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.bigEndian) { elements.append(contentsOf: $0) }
  }

  /// The length of the binary form in bytes. An array without elements has no dimensions.
  var byteCount: Int { count == 0 ? 12 : 20 + elements.count }

  func write(to buffer: inout ByteBuffer) {
    buffer.reserve(byteCount)
    buffer.append(Int32(count == 0 ? 0 : 1))
    buffer.append(Int32(hasNull ? 1 : 0))
    buffer.append(element.oid)
    guard count > 0 else { return }
    buffer.append(Int32(count))
    buffer.append(Int32(1))
    elements.withUnsafeBytes { buffer.append($0) }
  }
}
