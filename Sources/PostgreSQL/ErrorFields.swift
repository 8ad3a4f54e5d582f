internal import CLibPQ

/// The fields of a server's error or notice.
struct ErrorFields {
  /// The letters of the protocol.
  enum Field: Unicode.Scalar {
    // The severity that is not translated.
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

  /// The error, before it is known what it means for the connection.
  func error(purpose: String, server: ServerDescription) -> PostgreSQLError {
    PostgreSQLError(
      kind: .statement, sqlState: self[.sqlState].map(SQLState.init(rawValue:)), purpose: purpose,
      message: self[.message] ?? String(cString: PQresultErrorMessage(result)).onOneLine,
      detail: self[.detail], hint: self[.hint], context: self[.context], schema: self[.schema], table: self[.table],
      column: self[.column], constraint: self[.constraint], server: server)
  }
}
