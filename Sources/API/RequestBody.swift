import Values

/// The body of a request, as far as every request reads it in the same way.
struct RequestBody {
  let object: JSONValue

  /// Reads it.
  /// - Parameter allowsNothing: whether `null` and an empty list are taken for an object without
  ///   fields
  /// - Throws: ``APIError``: no JSON, or JSON that is no object
  init(_ bytes: [UInt8], allowsNothing: Bool) throws(APIError) {
    guard let json = JSONValue(json: bytes) else { throw .noJSON }
    if allowsNothing, json == .null || json == .list([]) {
      object = .object([])
    } else if case .object = json {
      object = json
    } else {
      throw .invalidData([JSONValue.Field("_schema", .list(["Invalid input type."]))])
    }
  }

  /// An integer: a number without a fraction, or one as a text.
  static func integer(_ value: JSONValue) -> WholeNumber? {
    switch value {
    case .integer(let number): number < 0 ? .negative(number) : .number(number)
    case .string(let text): WholeNumber(text)
    default: nil
    }
  }
}

/// Call logs that a body names: `{"cdr_ids": [1, 2]}`.
public struct CallLogIDsBody: Equatable, Sendable {
  /// Their ids, from the least one, each once; nil where none are given.
  public let ids: [Int64]?

  /// Reads the body of a request to delete recordings, which needs ids.
  /// - Throws: ``APIError``
  public static func required(_ bytes: [UInt8]) throws(APIError) -> [Int64] {
    let body = try RequestBody(bytes, allowsNothing: true)
    guard let value = body.object["cdr_ids"] else { throw refused(.isMissing) }
    if value == .null { throw refused(.isNull) }
    let ids = try read(value)
    guard !ids.isEmpty else { throw refused(.shorter(1)) }
    return ids
  }

  /// Reads the body of a request to export recordings. An empty list says no more than none: all
  /// call logs.
  /// - Throws: ``APIError``
  public init(forExport bytes: [UInt8]) throws(APIError) {
    let value = try RequestBody(bytes, allowsNothing: false).object["cdr_ids"] ?? .null
    let ids = value == .null ? [] : try CallLogIDsBody.read(value)
    self.ids = ids.isEmpty ? nil : ids
  }

  private static func refused(_ problem: Problem) -> APIError {
    .invalidData([JSONValue.Field("cdr_ids", problem.details)])
  }

  private static func read(_ value: JSONValue) throws(APIError) -> [Int64] {
    guard case .list(let values) = value else { throw refused(.noList) }
    var ids: Set<Int64> = []
    var problems: [(Int, Problem)] = []
    for (place, value) in values.enumerated() {
      switch RequestBody.integer(value) {
      // No call log has an id below 0; it is an id all the same.
      case .number(let id), .negative(let id): ids.insert(id)
      case .tooGreat: problems.append((place, .above(.max)))
      case nil: problems.append((place, .noInteger))
      }
    }
    if !problems.isEmpty { throw refused(Problem(elements: problems.map { (place: $0.0, problem: $0.1) })) }
    return ids.sorted()
  }
}
