import Values

/// A one-dimensional PostgreSQL array in the server's binary form. It needs no String for each
/// element.
public struct BinaryArray: Sendable {
  /// The types of elements.
  public enum Element: Sendable {
    /// `text`, as UTF-8.
    case text
    /// `character varying`, as UTF-8. In binary form the server distinguishes it from `text`.
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

  /// The type of the elements.
  public let element: Element
  /// The number of elements.
  public private(set) var count = 0
  private var hasNull = false
  private var elements: [UInt8] = []

  /// An empty array of that type.
  public init(_ element: Element) {
    self.element = element
  }

  /// Appends an element by its bytes: UTF-8 text, or 4, 8 or 16 bytes in big-endian order.
  public mutating func append(_ bytes: UnsafeRawBufferPointer) {
    appendInteger(Int32(bytes.count))
    elements.append(contentsOf: bytes)
    count += 1
  }

  /// Appends a number to an array of `int8`.
  public mutating func append(_ value: Int64) {
    precondition(element == .int8, "a bigint in an array of \(element)")
    appendInteger(Int32(8))
    appendInteger(value)
    count += 1
  }

  /// Appends a number to an array of `int4` or `int8`.
  public mutating func append(_ value: Int32) {
    guard element == .int4 else { return append(Int64(value)) }
    appendInteger(Int32(4))
    appendInteger(value)
    count += 1
  }

  /// Appends a text to an array of `text`.
  public mutating func append(_ value: String) {
    precondition(element == .text, "a text in an array of \(element)")
    var value = value
    value.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  /// Appends a UUID to an array of `uuid`.
  public mutating func append(_ value: UUIDValue) {
    precondition(element == .uuid, "a UUID in an array of \(element)")
    appendInteger(Int32(16))
    appendInteger(value.high)
    appendInteger(value.low)
    count += 1
  }

  /// Appends NULL.
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

  /// The length of the binary form in bytes. An empty array has no dimensions.
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
