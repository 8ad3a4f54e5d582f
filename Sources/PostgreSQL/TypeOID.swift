/// The numbers of the server's built-in types. They are the same on every PostgreSQL server.
enum TypeOID {
  static let bool: UInt32 = 16
  static let bytea: UInt32 = 17
  static let int8: UInt32 = 20
  static let int2: UInt32 = 21
  static let int4: UInt32 = 23
  static let text: UInt32 = 25
  static let oid: UInt32 = 26
  static let json: UInt32 = 114
  static let timestamp: UInt32 = 1114
  static let timestamptz: UInt32 = 1184
  static let varchar: UInt32 = 1043
  static let varcharArray: UInt32 = 1015
  static let int4Array: UInt32 = 1007
  static let textArray: UInt32 = 1009
  static let int8Array: UInt32 = 1016
  static let uuid: UInt32 = 2950
  static let uuidArray: UInt32 = 2951
  static let jsonb: UInt32 = 3802
  static let int8Range: UInt32 = 3926
  static let int8Multirange: UInt32 = 4536

  /// Whether the binary form is an integer: signed numbers, and the unsigned numbers of objects and
  /// transactions.
  static func isInteger(_ type: UInt32) -> Bool {
    type == int8 || type == int4 || type == int2 || isUnsigned(type)
  }

  /// Whether the type is oid, xid, cid, xid8 or one of the reg… types.
  static func isUnsigned(_ type: UInt32) -> Bool {
    switch type {
    case oid, 28, 29, 5069, 24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191: true
    default: false
    }
  }

  /// Whether the binary form certainly differs from the text. Types that are unknown here
  /// (enumerations, citext) have their text as binary form.
  static func isNotText(_ type: UInt32) -> Bool {
    if isInteger(type) { return true }
    switch type {
    case bool, bytea, timestamp, timestamptz, uuid, int8Range, int8Multirange: return true
    // floats, money, dates, intervals, numeric, pg_lsn
    case 700, 701, 790, 1082, 1083, 1186, 1266, 1700, 3220: return true
    // arrays
    case int4Array, int8Array, textArray, uuidArray, varcharArray, 1000, 1005, 1185, 1231: return true
    default: return false
    }
  }
}
