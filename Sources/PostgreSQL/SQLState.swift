/// A server's five-character error code (SQLSTATE), such as `23505`.
///
/// A whole class is matched with its first two characters: `case .class("23")`.
public struct SQLState: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The code as the server sent it.
  public let rawValue: String

  /// A code from its five characters; a two-character value stands for a class in patterns.
  public init(rawValue: String) {
    self.rawValue = rawValue
  }

  /// The code itself.
  public var description: String { rawValue }

  /// The first two characters: what kind of error it is.
  public var `class`: String { String(rawValue.prefix(2)) }

  /// A pattern for every code of a class, given its two characters.
  public static func `class`(_ prefix: String) -> SQLState {
    SQLState(rawValue: prefix)
  }

  /// Whether the value is this code, or belongs to this class if the pattern is one.
  public static func ~= (pattern: SQLState, value: SQLState) -> Bool {
    pattern.rawValue.utf8.count == 2 ? value.rawValue.hasPrefix(pattern.rawValue) : pattern == value
  }

  /// The same for an error that may have no code: no code matches nothing.
  public static func ~= (pattern: SQLState, value: SQLState?) -> Bool {
    value.map { pattern ~= $0 } ?? false
  }
}

extension SQLState {
  /// 08006: the connection broke.
  public static let connectionFailure = SQLState(rawValue: "08006")
  /// 22021: a character that the server's encoding cannot hold, such as U+0000.
  public static let characterNotInRepertoire = SQLState(rawValue: "22021")
  /// 23505: a value that must be unique exists already.
  public static let uniqueViolation = SQLState(rawValue: "23505")
  /// 25006: a write in a read-only transaction, or on a standby.
  public static let readOnly = SQLState(rawValue: "25006")
  /// 25P02: an earlier statement of the transaction failed.
  public static let inFailedTransaction = SQLState(rawValue: "25P02")
  /// 28P01: the password is wrong.
  public static let invalidPassword = SQLState(rawValue: "28P01")
  /// 3D000: the database does not exist.
  public static let invalidCatalogName = SQLState(rawValue: "3D000")
  /// 40001: concurrent transactions collided; the transaction may be tried again.
  public static let serializationFailure = SQLState(rawValue: "40001")
  /// 40P01: a deadlock; the transaction may be tried again.
  public static let deadlockDetected = SQLState(rawValue: "40P01")
  /// 42501: the user lacks a right.
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
  /// 53300: the server takes no more connections.
  public static let tooManyConnections = SQLState(rawValue: "53300")
  /// 55P03: a lock was not to be had in time.
  public static let lockNotAvailable = SQLState(rawValue: "55P03")
  /// 57014: the statement was cancelled, or its time was up.
  public static let queryCanceled = SQLState(rawValue: "57014")
  /// 57P03: the server is starting or stopping.
  public static let cannotConnectNow = SQLState(rawValue: "57P03")
}
