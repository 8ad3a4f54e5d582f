import Values
import PostgreSQL
import TestSupport
import Testing

@Suite("Values sent to the server come back as they were")
struct RoundTripTests {
  let connection: Connection

  init() throws {
    connection = try TestDatabase().connect()
  }

  func query(_ sql: String, _ parameters: [Parameter] = []) throws -> Rows {
    try connection.query(sql, parameters, purpose: "a round trip")
  }

  @Test("random values of every type")
  func everyType() throws {
    var random = Seeded()
    for _ in 0..<300 {
      let (integer, small) = (random.integer(), Int32(truncatingIfNeeded: random.integer()))
      let (text, flag) = (random.text(), Bool.random(using: &random))
      let uuid = UUIDValue(high: random.next(), low: random.next())
      let time = Int64.random(in: -200_000_000_000_000_000...200_000_000_000_000_000, using: &random)
      let bytes = random.list { UInt8.random(in: 0...255, using: &$0) }
      let (texts, integers) = (random.list { $0.text() }, random.list { $0.integer() })
      let smalls = random.list { Int32(truncatingIfNeeded: $0.integer()) }
      let ranges = random.ranges()
      let rows = try query(
        "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::json->>'k', $14::text",
        [
          .int8(integer), .int4(small), .text(text), .bool(flag), .uuid(uuid), .timestamptz(time), .bytea(bytes),
          .textArray(texts),
          .int8Array(integers), .int4Array(smalls), .int8Multirange(ranges), .json("[]"), .json("{\"k\": \"v\"}"), .null,
        ])
      #expect(rows.count == 1 && rows.columnCount == 14)
      #expect(rows.int64(0, 0) == integer, "\(random)")
      #expect(rows.int64(0, 1) == Int64(small), "\(random)")
      #expect(rows.string(0, 2) == text, "\(random)")
      #expect(rows.bool(0, 3) == flag, "\(random)")
      #expect(rows.uuid(0, 4) == uuid, "\(random)")
      #expect(rows.timestamp(0, 5) == time, "\(random)")
      #expect(rows.bytes(0, 6) { $0.map(Array.init) } == bytes, "\(random)")
      #expect(rows.strings(0, 7) == texts, "\(random)")
      #expect(rows.integers(0, 8) == integers, "\(random)")
      #expect(rows.integers(0, 9) == smalls.map(Int64.init), "\(random)")
      #expect(rows.ranges(0, 10) == ranges, "\(random)")
      #expect(rows.string(0, 11) == "[]")
      #expect(rows.string(0, 12) == "v")
      #expect(rows.isNull(0, 13) && rows.string(0, 13) == nil)
    }
  }

  @Test("the server reads the values as we mean them")
  func asText() throws {
    var array = BinaryArray(.uuid)
    array.append(UUIDValue(high: 1, low: 2))
    array.appendNull()
    var smalls = BinaryArray(.int4)
    smalls.append(Int32(-7))
    let rows = try query(
      "SELECT ($1 AT TIME ZONE 'UTC')::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, encode($8, 'hex')",
      [
        .timestamptz(1_000_000), .uuid(UUIDValue(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)),
        .textArray(["", "a\"b", "c,d", "NULL"]), .int8Multirange([1..<5, 5..<5, 7..<9, 20..<(.max)]), .array(array),
        .array(smalls),
        .int8Multirange([]), .bytea([0, 255]),
      ])
    #expect(
      (0..<8).map { rows.string(0, $0) } == [
        "2000-01-01 00:00:01", "01234567-89ab-cdef-fedc-ba9876543210", #"{"","a\"b","c,d","NULL"}"#, "{[1,5),[7,9),[20,)}",
        "{00000000-0000-0001-0000-000000000002,NULL}", "{-7}", "{}", "00ff",
      ])
  }

  @Test("integers of every width, object numbers and names are read")
  func serverTypes() throws {
    let rows = try query(
      """
      SELECT 7::int2, 7::int4, 7::int8, 4000000000::oid, 'pg_class'::regclass, relname, relkind, '{"a": 1}'::jsonb,
        '[3,6]'::int8range, '{(,)}'::int8multirange, 'empty'::int8range, 'infinity'::timestamptz, timestamp '2000-01-02',
        ARRAY['x', NULL, 'y'], 'v'::varchar(9), 'c'::char(3)
      FROM pg_class WHERE oid = 'pg_class'::regclass
      """)
    #expect((0..<4).map { rows.int64(0, $0) } == [7, 7, 7, 4_000_000_000])
    #expect(rows.int64(0, 4) == 1259)
    #expect(rows.string(0, 5) == "pg_class" && rows.string(0, 6) == "r")
    #expect(rows.string(0, 7) == #"{"a": 1}"#)
    #expect(rows.ranges(0, 8) == [3..<7] && rows.ranges(0, 9) == [.min ..< .max] && rows.ranges(0, 10) == [])
    #expect(rows.timestamp(0, 11) == .max && rows.timestamp(0, 12) == 86_400_000_000)
    #expect(rows.strings(0, 13) == ["x", "y"])
    #expect(rows.string(0, 14) == "v" && rows.string(0, 15) == "c  ")
    #expect(rows.columnNames[5] == "relname" && rows.columnTypes[5] == 19)
  }

  @Test("a column of another type reads as nil, not as something it is not")
  func wrongTypes() throws {
    let rows = try query("SELECT 'abcd'::text, 1.5::numeric, 1::float8, 7::int4, current_date")
    #expect(rows.int64(0, 0) == nil && rows.int64(0, 1) == nil && rows.int64(0, 2) == nil && rows.int64(0, 4) == nil)
    #expect(rows.string(0, 1) == nil && rows.string(0, 3) == nil)
    #expect(rows.uuid(0, 0) == nil && rows.bool(0, 3) == nil && rows.timestamp(0, 0) == nil && rows.ranges(0, 0) == nil)
  }

  @Test("UUIDs are read and printed in the usual form")
  func uuidText() throws {
    var random = Seeded()
    let uuid = UUIDValue(high: random.next(), low: random.next())
    #expect(UUIDValue(uuid.description) == uuid, "\(random)")
    #expect(UUIDValue(uuid.description.uppercased()) == uuid, "\(random)")
    #expect(try query("SELECT $1::text::uuid", [.text(uuid.description)]).uuid(0, 0) == uuid, "\(random)")
    for bad in ["", "0123", uuid.description + "0", "g" + uuid.description.dropFirst()] { #expect(UUIDValue(bad) == nil) }
  }

  @Test("rows are walked in order, and a stream gives the same ones")
  func streaming() throws {
    let sql = "SELECT n, 'r' || n FROM generate_series(1, $1) n"
    let rows = try query(sql, [.int8(5000)])
    var streamed: [String?] = []
    try connection.stream(sql, [.int8(5000)], purpose: "streaming") { streamed.append($0.string(1)) }
    #expect(rows.map { $0.string(1) } == streamed)
    #expect(rows.map { $0.int64(0) } == (1...5000).map(Int64.init))
  }

  @Test("an error thrown while streaming cancels the query and leaves the connection usable")
  func streamStopped() throws {
    var seen = 0
    expectStop {
      try connection.stream("SELECT generate_series(1, 100000000000)", purpose: "an endless stream") { _ in
        seen += 1
        if seen == 100 { throw Stop() }
      }
    }
    #expect(seen == 100)
    #expect(try query("SELECT 1::int8").int64(0, 0) == 1)
  }

  @Test("the number of affected rows is told")
  func affected() throws {
    #expect(try connection.execute("CREATE TABLE t (id int)", purpose: "creating") == 0)
    #expect(try connection.execute("INSERT INTO t SELECT generate_series(1, 12)", purpose: "filling") == 12)
    #expect(try connection.execute("DELETE FROM t WHERE id > $1", [.int4(5)], purpose: "deleting") == 7)
  }
}
