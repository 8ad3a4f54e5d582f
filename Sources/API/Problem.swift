/// What is wrong with one parameter, or with one field of a body.
///
/// Two forms exist, and clients tell them apart: a value of the wrong type is an object, a value
/// that breaks a rule is a list of one object.
struct Problem {
  let details: JSONValue

  private init(_ message: String, _ id: JSONValue, _ constraint: JSONValue, isRule: Bool) {
    let one = JSONValue.fields(["message": .string(message), "constraint_id": id, "constraint": constraint])
    details = isRule ? .list([one]) : one
  }

  /// Problems of elements of a list, by their places from 0.
  init(elements: [(place: Int, problem: Problem)]) {
    details = .object(elements.map { JSONValue.Field(String($0.place), $0.problem.details) })
  }

  /// A message and nothing else.
  init(message: String) { details = .list([.string(message)]) }

  static let noInteger = Problem("Not a valid integer.", "type", "integer", isRule: false)
  static let noFlag = Problem("Not a valid boolean.", "type", "boolean", isRule: false)
  static let noTime = Problem("Not a valid datetime", "type", "datetime", isRule: false)
  static let noList = Problem("Not a valid list.", "type", "list", isRule: false)
  static let noUUID = Problem("Not a valid UUID.", "type", "uuid", isRule: false)
  static let noText = Problem("Not a valid string.", "type", "string", isRule: false)
  static let noAddress = Problem("Not a valid email address.", "type", "email", isRule: true)
  static let isMissing = Problem("Missing data for required field.", "required", "required", isRule: false)
  static let isNull = Problem("Field may not be null.", "not_null", "not_null", isRule: false)

  static func below(_ least: Int64) -> Problem {
    Problem("Must be greater than or equal to \(least).", "range", .fields(["min": .integer(least)]), isRule: true)
  }

  static func above(_ most: Int64) -> Problem {
    Problem("Must be less than or equal to \(most).", "range", .fields(["max": .integer(most)]), isRule: true)
  }

  static func length(_ range: ClosedRange<Int>) -> Problem {
    let limits = JSONValue.fields(["min": .integer(Int64(range.lowerBound)), "max": .integer(Int64(range.upperBound))])
    return Problem(
      "Length must be between \(range.lowerBound) and \(range.upperBound).", "length", limits, isRule: true)
  }

  static func shorter(_ least: Int64) -> Problem {
    Problem(
      "Shorter than minimum length \(least).", "length", .fields(["min": .integer(least), "max": .null]), isRule: true)
  }

  static func longer(_ most: Int64) -> Problem {
    Problem(
      "Longer than maximum length \(most).", "length", .fields(["min": .integer(1), "max": .integer(most)]), isRule: true)
  }

  static func pattern(_ pattern: String, _ message: String = "String does not match expected pattern.") -> Problem {
    Problem(message, "regex", .string(pattern), isRule: true)
  }

  static func choice(_ choices: [String]) -> Problem {
    choice(choices, "Must be one of: \(choices.joined(separator: ", ")).")
  }

  static func choice(_ choices: [String], _ message: String) -> Problem {
    Problem(message, "enum", .fields(["choices": .list(choices.map { .string($0) })]), isRule: true)
  }

  /// A choice that counts as a type.
  static func enumeration(_ choices: [String]) -> Problem {
    Problem("Must be one of: \(choices.joined(separator: ", ")).", "type", "enum", isRule: false)
  }

  /// A character that the database cannot hold.
  static let hasNull = Problem("Must not contain U+0000.", "regex", "^[^\\u0000]*$", isRule: true)
}
