internal import CLibPQ

/// The fields of a server's error or notice (PostgreSQL documentation, "Error and Notice Message
/// Fields").
struct ErrorFields {
  /// The protocol's letters for the fields.
  enum Field: Unicode.Scalar {
    // The severity in English, never translated.
    case severity = "V"
    case sqlState = "C"
    case message = "M"
    case detail = "D"
    case hint = "H"
    case context = "W"
    case schema = "s"
    case table = "t"
    case column = "c"
    case constraint = "n"
  }

  private let result: OpaquePointer

  init(_ result: OpaquePointer) {
    self.result = result
  }

  subscript(field: Field) -> String? {
    PQresultErrorField(result, Int32(field.rawValue.value)).map { String(cString: $0) }
  }

  /// Whether the server ends the connection with this error.
  var isFatal: Bool {
    let severity = self[.severity]
    return severity == "FATAL" || severity == "PANIC"
  }

  /// The error, with the kind that it has on a working connection.
  func error(purpose: String, server: ServerDescription) -> PostgreSQLError {
    PostgreSQLError(
      kind: .statement, sqlState: self[.sqlState].map(SQLState.init(rawValue:)), purpose: purpose,
      message: self[.message] ?? String(cString: PQresultErrorMessage(result)).onOneLine,
      detail: self[.detail], hint: self[.hint], context: self[.context], schema: self[.schema], table: self[.table],
      column: self[.column], constraint: self[.constraint], server: server)
  }
}
