import Values

/// Walks the rows of a `COPY … TO STDOUT (FORMAT binary)`, message by message as `Connection.copyOut` gives them.
///
///     var reader = BinaryRowReader()
///     try connection.copyOut(…) { message in
///       reader.load(message)
///       while try reader.nextRow() {
///         let id = try reader.int64()
///         …
///
/// A message holds whole rows. Its pointers are valid while the closure runs. Data that is not in this form gives an error.
public struct BinaryRowReader {
  private var message: UnsafeRawBufferPointer
  private var offset = 0
  /// Fields of the current row that have not been read.
  public private(set) var fieldsLeft = 0
  /// How many fields the current row has.
  public private(set) var fieldCount = 0
  /// Whether the trailer was seen: there are no more rows.
  public private(set) var isAtEnd = false

  /// A reader with nothing to read yet.
  public init() {
    message = UnsafeRawBufferPointer(start: nil, count: 0)
  }

  /// A reader of one message.
  public init(_ message: UnsafeRawBufferPointer) {
    self.message = message
  }

  /// Goes on to the next message; what was left of the one before is forgotten.
  public mutating func load(_ message: UnsafeRawBufferPointer) {
    self.message = message
    offset = 0
    fieldsLeft = 0
  }

  /// Goes on to the next row of the message, past fields that were not read. Returns whether there is one.
  public mutating func nextRow() throws(PostgreSQLError) -> Bool {
    while fieldsLeft > 0 { _ = try nextField() }
    if offset == 0 { try skipHeader() }
    guard offset < message.count, !isAtEnd else { return false }
    guard message.count - offset >= 2 else { throw malformed("half a row") }
    let count = message.integer(at: offset, as: Int16.self)
    offset += 2
    if count == -1 {
      isAtEnd = true
      return false
    }
    guard count >= 0 else { throw malformed("a row of \(count) fields") }
    fieldCount = Int(count)
    fieldsLeft = fieldCount
    return true
  }

  /// The next field's bytes, nil for NULL.
  @inline(__always)
  public mutating func nextField() throws(PostgreSQLError) -> UnsafeRawBufferPointer? {
    guard fieldsLeft > 0, message.count - offset >= 4 else { throw malformed("a field is missing") }
    let length = Int(message.integer(at: offset, as: Int32.self))
    guard length >= -1, length <= message.count - offset - 4 else { throw malformed("a field of \(length) bytes") }
    offset += 4
    fieldsLeft -= 1
    if length < 0 { return nil }
    defer { offset += length }
    return UnsafeRawBufferPointer(rebasing: message[offset..<offset + length])
  }

  /// Reads the next fields of the current row, as many as there is room for in `fields`; NULL has no base address. Faster than one by one.
  public mutating func nextFields(_ fields: UnsafeMutableBufferPointer<UnsafeRawBufferPointer>) throws(PostgreSQLError) {
    guard fields.count <= fieldsLeft, let base = message.baseAddress else { throw malformed("a field is missing") }
    // Local, so that they stay in registers.
    let end = message.count
    var at = offset
    for index in fields.indices {
      guard end &- at >= 4 else { throw malformed("a field is missing") }
      // Unsigned, so that one comparison settles it for all but NULL.
      let length = Int(message.integer(at: at, as: UInt32.self))
      at &+= 4
      if length <= end &- at {
        fields[index] = UnsafeRawBufferPointer(start: base + at, count: length)
        at &+= length
      } else if length == UInt32.max {
        fields[index] = UnsafeRawBufferPointer(start: nil, count: 0)
      } else {
        throw malformed("a field of \(Int32(truncatingIfNeeded: length)) bytes")
      }
    }
    offset = at
    fieldsLeft -= fields.count
  }

  /// A number of two, four or eight bytes, nil for NULL.
  public mutating func int64() throws(PostgreSQLError) -> Int64? {
    guard let field = try nextField() else { return nil }
    switch field.count {
    case 8: return field.integer(at: 0)
    case 4: return Int64(field.integer(at: 0, as: Int32.self))
    case 2: return Int64(field.integer(at: 0, as: Int16.self))
    default: throw malformed("a number of \(field.count) bytes")
    }
  }

  /// A `boolean`, nil for NULL.
  public mutating func bool() throws(PostgreSQLError) -> Bool? {
    guard let field = try nextField() else { return nil }
    guard field.count == 1 else { throw malformed("a boolean of \(field.count) bytes") }
    return field[0] != 0
  }

  /// A `timestamptz` or `timestamp` in microseconds since 2000-01-01, nil for NULL.
  public mutating func timestamp() throws(PostgreSQLError) -> Int64? {
    guard let field = try nextField() else { return nil }
    guard field.count == 8 else { throw malformed("a time of \(field.count) bytes") }
    return field.integer(at: 0)
  }

  /// A `uuid`, nil for NULL.
  public mutating func uuid() throws(PostgreSQLError) -> UUIDValue? {
    guard let field = try nextField() else { return nil }
    guard field.count == 16 else { throw malformed("a UUID of \(field.count) bytes") }
    return UUIDValue(high: field.integer(at: 0), low: field.integer(at: 8))
  }

  /// A text, nil for NULL.
  public mutating func string() throws(PostgreSQLError) -> String? {
    try nextField().map { String(decoding: $0, as: UTF8.self) }
  }

  /// The texts of an array without its NULL elements, nil for NULL.
  public mutating func strings() throws(PostgreSQLError) -> [String]? {
    guard let field = try nextField() else { return nil }
    guard let elements = BinaryValue(type: TypeOID.textArray, bytes: field).strings else { throw malformed("not an array") }
    return elements
  }

  /// Only the first message has a header. No row can look like one: its first two bytes would mean 20,551 fields.
  private mutating func skipHeader() throws(PostgreSQLError) {
    guard message.count >= 11, message[0] == UInt8(ascii: "P"),
      message.prefix(11).elementsEqual(BinaryRowWriter.header.prefix(11))
    else { return }
    guard message.count >= 19 else { throw malformed("half a header") }
    let flags: UInt32 = message.integer(at: 11)
    let extensionLength: Int32 = message.integer(at: 15)
    guard flags == 0 else { throw malformed("unknown flags in the header") }
    guard extensionLength >= 0, Int(extensionLength) <= message.count - 19 else { throw malformed("half a header") }
    offset = 19 + Int(extensionLength)
    isAtEnd = false
  }

  @inline(never)
  private func malformed(_ what: String) -> PostgreSQLError {
    PostgreSQLError(
      kind: .protocol, purpose: "Reading COPY data",
      message: "the data is not in PostgreSQL's binary form: \(what) at byte \(offset)")
  }
}
