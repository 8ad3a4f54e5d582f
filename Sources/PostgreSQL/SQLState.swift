/// A server's five-character error code (SQLSTATE), such as `23505`.
///
/// Two characters match a whole class: `case .class("23")`.
///
/// Source: PostgreSQL documentation, "PostgreSQL Error Codes".
public struct SQLState: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The code as the server sent it.
  public let rawValue: String

  /// A code with five characters. In patterns, two characters stand for a class.
  public init(rawValue: String) {
    self.rawValue = rawValue
  }

  /// The code itself.
  public var description: String { rawValue }

  /// The class: the first two characters.
  public var `class`: String { String(rawValue.prefix(2)) }

  /// A pattern for all codes of a class.
  public static func `class`(_ prefix: String) -> SQLState {
    SQLState(rawValue: prefix)
  }

  /// Whether the value equals this code, or belongs to this class.
  public static func ~= (pattern: SQLState, value: SQLState) -> Bool {
    pattern.rawValue.utf8.count == 2 ? value.rawValue.hasPrefix(pattern.rawValue) : pattern == value
  }

  /// The same for an optional code. nil matches nothing.
  public static func ~= (pattern: SQLState, value: SQLState?) -> Bool {
    value.map { pattern ~= $0 } ?? false
  }
}

extension SQLState {
  /// 08006: the connection broke.
  public static let connectionFailure = SQLState(rawValue: "08006")
  /// 22021: a character that the server's encoding cannot hold, such as U+0000.
  public static let characterNotInRepertoire = SQLState(rawValue: "22021")
  /// 23505: a unique value exists already.
  public static let uniqueViolation = SQLState(rawValue: "23505")
  /// 25006: a write in a read-only transaction, or on a standby.
  public static let readOnly = SQLState(rawValue: "25006")
  /// 25P02: an earlier statement of the transaction failed.
  public static let inFailedTransaction = SQLState(rawValue: "25P02")
  /// 28P01: the password is wrong.
  public static let invalidPassword = SQLState(rawValue: "28P01")
  /// 3D000: the database does not exist.
  public static let invalidCatalogName = SQLState(rawValue: "3D000")
  /// 40001: a conflict with a concurrent transaction; the transaction can be tried again.
  public static let serializationFailure = SQLState(rawValue: "40001")
  /// 40P01: a deadlock; the transaction can be tried again.
  public static let deadlockDetected = SQLState(rawValue: "40P01")
  /// 42501: a permission is missing.
  public static let insufficientPrivilege = SQLState(rawValue: "42501")
  /// 42703: the column does not exist.
  public static let undefinedColumn = SQLState(rawValue: "42703")
  /// 42883: the function or operator does not exist.
  public static let undefinedFunction = SQLState(rawValue: "42883")
  /// 42P01: the table does not exist.
  public static let undefinedTable = SQLState(rawValue: "42P01")
  /// 53100: the server's disk is full.
  public static let diskFull = SQLState(rawValue: "53100")
  /// 53200: the server ran out of memory.
  public static let outOfMemory = SQLState(rawValue: "53200")
  /// 53300: the server has too many connections.
  public static let tooManyConnections = SQLState(rawValue: "53300")
  /// 55P03: the lock was not available in time.
  public static let lockNotAvailable = SQLState(rawValue: "55P03")
  /// 57014: the statement was cancelled, or exceeded its time limit.
  public static let queryCanceled = SQLState(rawValue: "57014")
  /// 57P03: the server is starting or stopping.
  public static let cannotConnectNow = SQLState(rawValue: "57P03")
}
