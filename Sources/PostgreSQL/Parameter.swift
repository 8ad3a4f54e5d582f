import Values

/// A value bound to `$1`, `$2`, … of a statement, sent in binary with its type.
public enum Parameter: Sendable {
  /// NULL, of a type the statement gives.
  case null
  /// A `boolean`.
  case bool(Bool)
  /// An `integer`.
  case int4(Int32)
  /// A `bigint`.
  case int8(Int64)
  /// A `text`.
  case text(String)
  /// A `uuid`.
  case uuid(UUIDValue)
  /// A `timestamptz`.
  case timestamptz(Int64)
  /// A `bytea`.
  case bytea([UInt8])
  /// An `integer[]`.
  case int4Array([Int32])
  /// A `bigint[]`.
  case int8Array([Int64])
  /// A `text[]`.
  case textArray([String])
  /// An array built beforehand.
  case array(BinaryArray)
  /// A `json`, as its text.
  case json(String)
  /// An `int8multirange`; `Int64.min` and `Int64.max` are infinite bounds, empty ranges are left out.
  case int8Multirange([Range<Int64>])

  var oid: UInt32 {
    switch self {
    case .null: 0
    case .bool: TypeOID.bool
    case .int4: TypeOID.int4
    case .int8: TypeOID.int8
    case .text: TypeOID.text
    case .uuid: TypeOID.uuid
    case .timestamptz: TypeOID.timestamptz
    case .bytea: TypeOID.bytea
    case .int4Array: TypeOID.int4Array
    case .int8Array: TypeOID.int8Array
    case .textArray: TypeOID.textArray
    case .array(let array): array.element.arrayOID
    case .json: TypeOID.json
    case .int8Multirange: TypeOID.int8Multirange
    }
  }

  func write(to buffer: inout ByteBuffer) {
    switch self {
    case .null: break
    case .bool(let value): buffer.append(UInt8(value ? 1 : 0))
    case .int4(let value): buffer.append(value)
    case .int8(let value), .timestamptz(let value): buffer.append(value)
    case .text(var value), .json(var value): value.withUTF8 { buffer.append(UnsafeRawBufferPointer($0)) }
    case .uuid(let value):
      buffer.append(value.high)
      buffer.append(value.low)
    case .bytea(let value): value.withUnsafeBytes { buffer.append($0) }
    case .int4Array(let values): Parameter.write(.int4, values, to: &buffer) { $0.append($1) }
    case .int8Array(let values): Parameter.write(.int8, values, to: &buffer) { $0.append($1) }
    case .textArray(let values): Parameter.write(.text, values, to: &buffer) { $0.append($1) }
    case .array(let array): array.write(to: &buffer)
    case .int8Multirange(let ranges): Multirange.write(ranges, to: &buffer)
    }
  }

  private static func write<T>(
    _ element: BinaryArray.Element, _ values: [T], to buffer: inout ByteBuffer, _ append: (inout BinaryArray, T) -> Void
  ) {
    var array = BinaryArray(element)
    for value in values { append(&array, value) }
    array.write(to: &buffer)
  }
}

/// The parameters of one statement in the four parallel arrays that libpq takes.
struct WireParameters {
  var types: [UInt32] = []
  var values: [UnsafePointer<CChar>?] = []
  var lengths: [Int32] = []
  var formats: [Int32] = []

  static func with<R>(_ parameters: [Parameter], _ body: (borrowing WireParameters) -> R) -> R {
    var wire = WireParameters()
    var buffer = ByteBuffer()
    var starts: [Int] = []
    for parameter in parameters {
      starts.append(buffer.count)
      parameter.write(to: &buffer)
      wire.lengths.append(Int32(buffer.count - starts[starts.count - 1]))
      wire.types.append(parameter.oid)
      wire.formats.append(1)
    }
    // Only now, for the buffer may have moved while it grew.
    for (parameter, start) in zip(parameters, starts) {
      if case .null = parameter {
        wire.values.append(nil)
      } else {
        wire.values.append(UnsafeRawPointer(buffer.base + start).assumingMemoryBound(to: CChar.self))
      }
    }
    let result = body(wire)
    // The pointers above are into this buffer.
    _ = consume buffer
    return result
  }
}
