import Logging
import PrivateServer
import Synchronization
import TestSupport
import Testing

@testable import PostgreSQL

/// A database for one test, in the server that all tests share.
struct TestDatabase {
  let name: String
  let uri: String

  private static let number = Atomic<Int>(0)

  init() throws {
    name = "test_\(TestDatabase.number.add(1, ordering: .relaxed).newValue)"
    try PrivateServer.shared.createDatabase(name)
    uri = try PrivateServer.shared.uri(database: name)
  }

  func connect(log: Logger = quiet, options: [String: String] = [:]) throws -> Connection {
    try Connection(ConnectionParameters(uri: uri, applicationName: "tests", options: options), log: log)
  }
}

extension Seeded {
  mutating func integer() -> Int64 {
    [Int64.min, .max, 0, -1, 1, Int64(Int32.max), Int64(Int32.min), Int64(bitPattern: next())].randomElement(using: &self) ?? 0
  }

  mutating func text() -> String {
    let pieces = ["", "a", "\"", "'", "\\", "{", "}", ",", " ", "é", "漢", "🚀", "e\u{301}", "NULL", "\n", "\t", "$1", "%"]
    return (0..<Int.random(in: 0...8, using: &self)).map { _ in pieces.randomElement(using: &self) ?? "" }.joined()
  }

  mutating func list<T>(_ element: (inout Seeded) -> T) -> [T] {
    (0..<Int.random(in: 0...6, using: &self)).map { _ in element(&self) }
  }

  /// Ranges in order that do not touch, as a multirange has them.
  mutating func ranges() -> [Range<Int64>] {
    var (ranges, bound): ([Range<Int64>], Int64) = ([], Int64.random(in: -1000...1000, using: &self))
    for _ in 0..<Int.random(in: 0...6, using: &self) {
      let lower = bound + Int64.random(in: 1...100, using: &self)
      bound = lower + Int64.random(in: 1...100, using: &self)
      ranges.append(lower..<bound)
    }
    if let first = ranges.first, Bool.random(using: &self) { ranges[0] = .min..<first.upperBound }
    if let last = ranges.last, Bool.random(using: &self) { ranges[ranges.count - 1] = last.lowerBound..<(.max) }
    return ranges
  }
}

/// The error that a closure throws.
func postgreSQLError<T>(
  _ location: SourceLocation = #_sourceLocation, _ body: () throws -> T
) throws -> PostgreSQLError {
  let error = #expect(throws: PostgreSQLError.self, sourceLocation: location) { _ = try body() }
  return try #require(error, sourceLocation: location)
}

/// An error of the tests' own, to see it passed on.
struct Stop: Error {}

/// Expects that a closure passes on `Stop`.
func expectStop<T>(_ location: SourceLocation = #_sourceLocation, _ body: () throws -> T) {
  #expect(throws: Stop.self, sourceLocation: location) { _ = try body() }
}

extension SQLState {
  /// 22012: division by zero.
  static let divisionByZero = SQLState(rawValue: "22012")
  /// 23502: NULL in a column that forbids it.
  static let notNullViolation = SQLState(rawValue: "23502")
  /// 23503: a foreign key without its row.
  static let foreignKeyViolation = SQLState(rawValue: "23503")
  /// 23514: a check constraint does not hold.
  static let checkViolation = SQLState(rawValue: "23514")
  /// 28000: the server lets this user not in, for instance no entry in pg_hba.conf.
  static let invalidAuthorization = SQLState(rawValue: "28000")
  /// 42601: the statement cannot be read.
  static let syntaxError = SQLState(rawValue: "42601")
}
