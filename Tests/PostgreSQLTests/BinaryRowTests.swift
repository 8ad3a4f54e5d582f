import TestSupport
import Testing

@testable import PostgreSQL

@Suite("Binary rows")
struct BinaryRowTests {
  /// Reads all there is, whatever it is.
  func walk(_ bytes: [UInt8]) throws -> [[[UInt8]?]] {
    try bytes.withUnsafeBytes { message in
      var reader = BinaryRowReader(message)
      var rows: [[[UInt8]?]] = []
      while try reader.nextRow() {
        rows.append(try (0..<reader.fieldCount).map { _ in try reader.nextField().map(Array.init) })
      }
      return rows
    }
  }

  /// The same, the fields of a row at once.
  func walkByRows(_ bytes: [UInt8]) throws -> [[[UInt8]?]] {
    try bytes.withUnsafeBytes { message in
      var reader = BinaryRowReader(message)
      var rows: [[[UInt8]?]] = []
      while try reader.nextRow() {
        try withUnsafeTemporaryAllocation(of: UnsafeRawBufferPointer.self, capacity: reader.fieldCount) { fields in
          try reader.nextFields(fields)
          rows.append(fields.map { $0.baseAddress == nil ? nil : Array($0) })
        }
      }
      return rows
    }
  }

  func written(_ body: (inout BinaryRowWriter) -> Void) -> [UInt8] {
    var writer = BinaryRowWriter(capacity: 0)
    body(&writer)
    return writer.withBytes(Array.init)
  }

  @Test("what is written is read")
  func writtenAndRead() throws {
    let bytes = written {
      $0.beginRow(fields: 3)
      $0.int4(-2)
      $0.null()
      $0.text("é")
      $0.beginRow(fields: 0)
      $0.trailer()
    }
    #expect(try walk(bytes) == [[[255, 255, 255, 254], nil, Array("é".utf8)], []])
    #expect(try walkByRows(bytes) == [[[255, 255, 255, 254], nil, Array("é".utf8)], []])
  }

  @Test("the header comes once for each COPY, also over several buffers")
  func header() {
    var writer = BinaryRowWriter()
    func flush() -> Int {
      defer { writer.removeAll() }
      return writer.count
    }
    writer.beginRow(fields: 0)
    #expect(flush() == 19 + 2)
    writer.beginRow(fields: 0)
    #expect(flush() == 2)
    writer.trailer()
    #expect(flush() == 2)
    writer.trailer()
    #expect(flush() == 19 + 2)
    writer.beginRow(fields: 1)
    writer.reset()
    #expect(writer.count == 0)
    writer.beginRow(fields: 0)
    #expect(flush() == 19 + 2)
  }

  @Test("fields that were not read are passed over")
  func skipping() throws {
    let bytes = written { writer in
      for id in 1...3 {
        writer.beginRow(fields: 3)
        writer.int8(Int64(id))
        writer.text("not read")
        writer.null()
      }
    }
    let ids = try bytes.withUnsafeBytes { message in
      var (reader, ids): (BinaryRowReader, [Int64?]) = (BinaryRowReader(message), [])
      while try reader.nextRow() { ids.append(try reader.int64()) }
      return ids
    }
    #expect(ids == [1, 2, 3])
  }

  @Test("data that is cut or damaged anywhere gives rows or an error, never a crash")
  func malformed() throws {
    var random = Seeded()
    let whole = written { writer in
      for _ in 0..<5 {
        writer.beginRow(fields: 4)
        writer.text(random.text())
        writer.uuid(high: random.next(), low: random.next())
        writer.null()
        writer.int8(random.integer())
      }
      writer.trailer()
    }
    let rows = try walk(whole)
    #expect(rows.count == 5, "\(random)")
    var errors = 0
    for length in 0..<whole.count {
      do {
        #expect(rows.starts(with: try walk(Array(whole.prefix(length)))), "\(random)")
      } catch let error as PostgreSQLError {
        #expect(error.kind == .protocol)
        errors += 1
      }
    }
    #expect(errors > whole.count / 2, "\(random)")
    for _ in 0..<5000 {
      var damaged = whole
      damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      #expect((try? walk(damaged)) == (try? walkByRows(damaged)), "\(random)")
      let noise = random.list { UInt8.random(in: 0...255, using: &$0) }
      #expect((try? walk(noise)) == (try? walkByRows(noise)), "\(random)")
    }
  }

  @Test("damaged arrays and multiranges read as nil")
  func damagedValues() {
    var random = Seeded()
    var buffer = ByteBuffer()
    var array = BinaryArray(.text)
    for text in ["", "one", "two"] { array.append(text) }
    array.write(to: &buffer)
    let arrayBytes = Array(buffer.bytes)
    buffer.removeAll(keepingCapacity: false)
    Multirange.write([1..<4, 9..<12], to: &buffer)
    let rangeBytes = Array(buffer.bytes)

    for length in 0..<arrayBytes.count {
      arrayBytes.prefix(length).withUnsafeBytes { #expect(BinaryValue.elements(of: $0) == nil) }
    }
    for length in 0..<rangeBytes.count { rangeBytes.prefix(length).withUnsafeBytes { #expect(Multirange.read($0) == nil) } }
    for _ in 0..<5000 {
      for var bytes in [arrayBytes, rangeBytes] {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        bytes.withUnsafeBytes {
          _ = BinaryValue.elements(of: $0)
          _ = Multirange.read($0)
        }
      }
    }
  }

  @Test("fields of the wrong length are errors")
  func wrongLength() {
    let bytes = written {
      $0.beginRow(fields: 1)
      $0.text("abc")
    }
    bytes.withUnsafeBytes { message in
      func fresh() throws -> BinaryRowReader {
        var reader = BinaryRowReader(message)
        _ = try reader.nextRow()
        return reader
      }
      #expect(throws: PostgreSQLError.self) {
        var reader = try fresh(); _ = try reader.int64()
      }
      #expect(throws: PostgreSQLError.self) {
        var reader = try fresh(); _ = try reader.bool()
      }
      #expect(throws: PostgreSQLError.self) {
        var reader = try fresh(); _ = try reader.uuid()
      }
      #expect(throws: PostgreSQLError.self) {
        var reader = try fresh(); _ = try reader.timestamp()
      }
      #expect(throws: PostgreSQLError.self) {
        var reader = try fresh(); _ = try reader.strings()
      }
      #expect(throws: PostgreSQLError.self) {
        var reader = try fresh(); _ = try (reader.string(), reader.string())
      }
    }
  }
}
