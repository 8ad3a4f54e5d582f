import Values

/// One value in binary form with its type; what it holds is read only if the type fits.
struct BinaryValue {
  var type: UInt32
  var bytes: UnsafeRawBufferPointer

  var int64: Int64? {
    guard TypeOID.isInteger(type) else { return nil }
    switch bytes.count {
    case 2: return Int64(bytes.integer(at: 0, as: Int16.self))
    case 4 where TypeOID.isUnsigned(type): return Int64(bytes.integer(at: 0, as: UInt32.self))
    case 4: return Int64(bytes.integer(at: 0, as: Int32.self))
    case 8: return bytes.integer(at: 0)
    default: return nil
    }
  }

  var string: String? {
    if TypeOID.isNotText(type) { return nil }
    // jsonb is its text behind a version number.
    let text = type == TypeOID.jsonb ? UnsafeRawBufferPointer(rebasing: bytes.dropFirst()) : bytes
    return String(decoding: text, as: UTF8.self)
  }

  var bool: Bool? {
    guard type == TypeOID.bool, bytes.count == 1 else { return nil }
    return bytes[0] != 0
  }

  var uuid: UUIDValue? {
    guard type == TypeOID.uuid, bytes.count == 16 else { return nil }
    return UUIDValue(high: bytes.integer(at: 0), low: bytes.integer(at: 8))
  }

  var timestamp: Int64? {
    guard type == TypeOID.timestamptz || type == TypeOID.timestamp, bytes.count == 8 else { return nil }
    return bytes.integer(at: 0)
  }

  var ranges: [Range<Int64>]? {
    switch type {
    case TypeOID.int8Multirange: Multirange.read(bytes)
    case TypeOID.int8Range: Multirange.readRange(bytes).map { $0.isEmpty ? [] : [$0] }
    default: nil
    }
  }

  /// The elements of an array of texts; NULL elements are left out.
  var strings: [String]? {
    BinaryValue.elements(of: bytes)?.compactMap { element in
      guard !TypeOID.isNotText(element.type) else { return nil }
      return element.bytes.map { String(decoding: $0, as: UTF8.self) }
    }
  }

  /// The elements of an array of integers; NULL elements are left out.
  var integers: [Int64]? {
    BinaryValue.elements(of: bytes)?.compactMap { element in
      element.bytes.flatMap { BinaryValue(type: element.type, bytes: $0).int64 }
    }
  }

  /// The elements of an array of one dimension; nil if the bytes are none.
  static func elements(of bytes: UnsafeRawBufferPointer) -> [(type: UInt32, bytes: UnsafeRawBufferPointer?)]? {
    guard bytes.count >= 12 else { return nil }
    let dimensions: Int32 = bytes.integer(at: 0)
    let type: UInt32 = bytes.integer(at: 8)
    if dimensions == 0 { return [] }
    guard dimensions == 1, bytes.count >= 20 else { return nil }
    let count = Int(bytes.integer(at: 12, as: Int32.self))
    guard count >= 0, count <= (bytes.count - 20) / 4 else { return nil }
    var elements: [(type: UInt32, bytes: UnsafeRawBufferPointer?)] = []
    elements.reserveCapacity(count)
    var offset = 20
    for _ in 0..<count {
      guard offset + 4 <= bytes.count else { return nil }
      let length = Int(bytes.integer(at: offset, as: Int32.self))
      offset += 4
      if length == -1 {
        elements.append((type, nil))
        continue
      }
      guard length >= 0, length <= bytes.count - offset else { return nil }
      elements.append((type, UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])))
      offset += length
    }
    return elements
  }
}
