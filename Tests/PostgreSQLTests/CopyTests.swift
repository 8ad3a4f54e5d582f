import Values
import PostgreSQL
import TestSupport
import Testing

@Suite("COPY")
struct CopyTests {
  let connection: Connection

  init() throws {
    connection = try TestDatabase().connect()
    try connection.script(
      """
      CREATE TABLE calls (id int8 PRIMARY KEY, number int4, answered bool, at timestamptz, name text, uuid uuid, tags text[],
        covered int8multirange, extra jsonb);
      CREATE TABLE copies (LIKE calls);
      """, purpose: "creating tables")
  }

  struct Call: Equatable {
    var id: Int64
    var number: Int64?
    var answered: Bool?
    var at: Int64?
    var name: String?
    var uuid: UUIDValue?
    var tags: [String]?

    init(id: Int64, _ random: inout Seeded) {
      self.id = id
      number = Bool.random(using: &random) ? Int64(Int32(truncatingIfNeeded: random.next())) : nil
      answered = [true, false, nil].randomElement(using: &random) ?? nil
      at = Bool.random(using: &random) ? Int64.random(in: 0...800_000_000_000_000, using: &random) : nil
      name = Int.random(in: 0...3, using: &random) > 0 ? random.text() : nil
      uuid = Bool.random(using: &random) ? UUIDValue(high: random.next(), low: random.next()) : nil
      tags = Int.random(in: 0...3, using: &random) > 0 ? random.list { $0.text() } : nil
    }

    init(_ reader: inout BinaryRowReader) throws {
      id = try #require(try reader.int64())
      number = try reader.int64()
      answered = try reader.bool()
      at = try reader.timestamp()
      name = try reader.string()
      uuid = try reader.uuid()
      tags = try reader.strings()
    }

    func write(_ writer: inout BinaryRowWriter) {
      writer.beginRow(fields: 9)
      writer.int8(id)
      if let number { writer.int4(Int32(truncatingIfNeeded: number)) } else { writer.null() }
      if let answered { writer.bool(answered) } else { writer.null() }
      if let at { writer.timestamptz(microsecondsSince2000: at) } else { writer.null() }
      if let name { writer.text(name) } else { writer.null() }
      if let uuid { writer.uuid(high: uuid.high, low: uuid.low) } else { writer.null() }
      if let tags {
        var array = BinaryArray(.text)
        for tag in tags { array.append(tag) }
        writer.textArray(array)
      } else {
        writer.null()
      }
      writer.int8Multirange([id..<id + 2])
      Array("{}".utf8).withUnsafeBytes { writer.jsonb($0) }
    }
  }

  @Test("200,000 rows in and out are equal, field by field and message by message")
  func roundTrip() throws {
    var random = Seeded()
    let count = 200_000
    let calls = (1...count).map { Call(id: Int64($0), &random) }
    var writer = BinaryRowWriter(capacity: 0)
    let written = try connection.copyIn("COPY calls FROM STDIN (FORMAT binary)", purpose: "writing calls") { copy in
      for call in calls {
        call.write(&writer)
        if writer.count > 700_000 {
          try writer.withBytes(copy.write)
          writer.removeAll(keepingCapacity: true)
        }
      }
      writer.trailer()
      try writer.withBytes(copy.write)
    }
    #expect(written == count)

    var reader = BinaryRowReader()
    var (index, isEqual) = (0, true)
    let read = try connection.copyOut("COPY (SELECT * FROM calls ORDER BY id) TO STDOUT (FORMAT binary)", purpose: "reading") {
      reader.load($0)
      while try reader.nextRow() {
        let call = try Call(&reader)
        if isEqual, index >= count || call != calls[index] {
          isEqual = false
          Issue.record("row \(index) differs: \(call), \(random)")
        }
        index += 1
      }
    }
    #expect(read == count && index == count && reader.isAtEnd)

    let other = try Connection(ConnectionParameters(uri: uri), log: quiet)
    let copied = try other.copyIn("COPY copies FROM STDIN (FORMAT binary)", purpose: "copying") { copy in
      try connection.copyOut("COPY calls TO STDOUT (FORMAT binary)", purpose: "reading") { try copy.write($0) }
    }
    #expect(copied == count)
    let difference = "SELECT count(*) FROM (TABLE calls EXCEPT TABLE copies) d"
    #expect(try connection.query(difference, purpose: "comparing").int64(0, 0) == 0, "\(random)")
  }

  var uri: String {
    "host=\(connection.server.host) port=\(connection.server.port) dbname=\(connection.server.database) user=postgres"
  }

  var stored: Int64? {
    get throws { try connection.query("SELECT count(*) FROM calls", purpose: "counting").int64(0, 0) }
  }

  func writeRows(_ ids: ClosedRange<Int64>, into copy: CopyIn) throws {
    var writer = BinaryRowWriter()
    var random = Seeded()
    for id in ids { Call(id: id, &random).write(&writer) }
    try writer.withBytes(copy.write)
  }

  @Test("an error thrown while copying in stores nothing and leaves the connection usable")
  func copyInStopped() throws {
    expectStop {
      try connection.copyIn("COPY calls FROM STDIN (FORMAT binary)", purpose: "writing") { copy in
        try writeRows(1...50, into: copy)
        throw Stop()
      }
    }
    #expect(try stored == 0)
  }

  @Test("an error thrown while copying out leaves the connection usable, at the first row and in the middle")
  func copyOutStopped() throws {
    for last in [1, 1000] {
      var seen = 0
      expectStop {
        try connection.copyOut("COPY (SELECT generate_series(1, 100000000000)) TO STDOUT", purpose: "reading") { _ in
          seen += 1
          if seen == last { throw Stop() }
        }
      }
      #expect(seen == last)
      #expect(try stored == 0)
    }
  }

  @Test("a stopped COPY inside a savepoint leaves the transaction going")
  func insideSavepoint() throws {
    try connection.transaction(purpose: "a transaction") {
      expectStop {
        try connection.savepoint {
          try connection.copyIn("COPY calls FROM STDIN (FORMAT binary)", purpose: "writing") { copy in
            try writeRows(1...50, into: copy)
            throw Stop()
          }
        }
      }
      try connection.copyIn("COPY calls FROM STDIN (FORMAT binary)", purpose: "writing") { copy in
        try writeRows(1...3, into: copy)
      }
    }
    #expect(try stored == 3)
  }

  @Test("what the server refuses is told with its code, also when it refuses while data is still being sent")
  func refused() throws {
    let doubled = try postgreSQLError {
      try connection.copyIn("COPY calls FROM STDIN (FORMAT binary)", purpose: "writing twice") { copy in
        try writeRows(1...3, into: copy)
        var writer = BinaryRowWriter()
        var random = Seeded()
        Call(id: 3, &random).write(&writer)
        // Without the header, which went out with the first rows.
        try writer.withBytes { try copy.write(UnsafeRawBufferPointer(rebasing: $0.dropFirst(19))) }
      }
    }
    #expect(doubled.sqlState == .uniqueViolation && doubled.table == "calls" && doubled.constraint == "calls_pkey")

    let garbage = [UInt8](repeating: 0x55, count: 1 << 20)
    let malformed = try postgreSQLError {
      try connection.copyIn("COPY calls FROM STDIN (FORMAT binary)", purpose: "writing garbage") { copy in
        for _ in 0..<200 { try garbage.withUnsafeBytes(copy.write) }
      }
    }
    #expect(malformed.kind == .statement && malformed.sqlState == SQLState(rawValue: "22P04"))
    #expect(try stored == 0)
  }

  @Test("a missing table, and a statement that is no COPY, are errors that leave the connection usable")
  func notACopy() throws {
    #expect(
      try postgreSQLError { try connection.copyOut("COPY nowhere TO STDOUT", purpose: "reading") { _ in } }.sqlState
        == .undefinedTable)
    for sql in ["SELECT 1", "COPY calls FROM STDIN"] {
      #expect(try postgreSQLError { try connection.copyOut(sql, purpose: "reading") { _ in } }.kind == .protocol)
    }
    for sql in ["SELECT 1", "COPY (SELECT generate_series(1, 1000000)) TO STDOUT"] {
      #expect(try postgreSQLError { try connection.copyIn(sql, purpose: "writing") { _ in } }.kind == .protocol)
    }
    for sql in ["COPY calls FROM STDIN", "COPY calls TO STDOUT"] {
      #expect(try postgreSQLError { _ = try connection.query(sql, purpose: "querying") }.kind == .protocol)
      #expect(try postgreSQLError { try connection.script(sql, purpose: "querying") }.kind == .protocol)
    }
    #expect(try stored == 0)
  }

  @Test("a COPY that a query began by mistake ends with one answer, however quick the server is")
  func begunByMistake() throws {
    for _ in 0..<300 {
      #expect(
        try postgreSQLError { _ = try connection.query("COPY calls FROM STDIN", purpose: "querying") }.kind == .protocol)
      #expect(try stored == 0)
    }
  }

  @Test("a statement inside a COPY on the same connection is refused and does not disturb the COPY")
  func nested() throws {
    var rows = 0
    try connection.copyOut("COPY (SELECT generate_series(1, 10)) TO STDOUT", purpose: "the outer one") { _ in
      let error = try postgreSQLError { try connection.execute("SELECT 1", purpose: "the inner one") }
      #expect(error.kind == .protocol && error.description.contains("the outer one"))
      rows += 1
    }
    #expect(rows == 10)
  }
}
