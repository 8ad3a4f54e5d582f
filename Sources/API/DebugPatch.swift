import Values

/// The body of `PATCH /config`: a JSON patch, of which nothing but the log level can be changed.
public enum DebugPatch {
  /// Reads `[{"op": "replace", "path": "/debug", "value": true}]`. Further keys are nobody's.
  /// - Returns: whether debug messages shall be logged; nil where the patch is empty and changes
  ///   nothing. The last of several changes counts
  /// - Throws: ``APIError`` that names every bad change by its place
  public static func read(_ bytes: [UInt8]) throws(APIError) -> Bool? {
    guard let json = JSONValue(json: bytes) else { throw .noJSON }
    guard case .list(let changes) = json else {
      throw .invalidData([JSONValue.Field("_schema", .list(["Invalid input type."]))])
    }
    var debug: Bool?
    var problems: [JSONValue.Field] = []
    for (place, change) in changes.enumerated() {
      let mistakes = mistakes(of: change)
      if mistakes.isEmpty, case .flag(let value)? = change["value"] {
        debug = value
      } else {
        problems.append(JSONValue.Field(String(place), .object(mistakes)))
      }
    }
    if !problems.isEmpty { throw .invalidData(problems) }
    return debug
  }

  private static func mistakes(of change: JSONValue) -> [JSONValue.Field] {
    guard case .object = change else { return [mistake("_schema", "Invalid input type.")] }
    var mistakes: [JSONValue.Field] = []
    if change["op"] != "replace" { mistakes.append(mistake("op", "Must be equal to replace.")) }
    if change["path"] != "/debug" { mistakes.append(mistake("path", "Must be equal to /debug.")) }
    switch change["value"] {
    case .flag: break
    case nil: mistakes.append(mistake("value", "Missing data for required field."))
    default: mistakes.append(mistake("value", "Not a valid boolean."))
    }
    return mistakes
  }

  private static func mistake(_ key: String, _ message: String) -> JSONValue.Field {
    JSONValue.Field(key, .list([.string(message)]))
  }
}
