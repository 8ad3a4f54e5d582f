internal import CLibPQ

extension Connection {
  /// The answer to a statement that gives rows or none; it leaves no COPY behind.
  func check(_ answer: OpaquePointer?, _ connection: OpaquePointer, purpose: String) throws(PostgreSQLError) -> ResultHandle {
    let result = try checkForError(answer, connection, purpose: purpose)
    let status = PQresultStatus(result.pointer)
    switch status {
    case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
      abandonCopy(connection, isIn: status == PGRES_COPY_IN)
      throw PostgreSQLError(
        kind: .protocol, purpose: purpose, message: "a COPY to or from the client needs copyOut or copyIn", server: server)
    default: return result
    }
  }

  /// The answer, or what it says went wrong.
  func checkForError(
    _ answer: OpaquePointer?, _ connection: OpaquePointer, purpose: String
  ) throws(PostgreSQLError) -> ResultHandle {
    guard let answer else {
      let isLost = PQstatus(connection) != CONNECTION_OK
      throw PostgreSQLError(
        kind: isLost ? .connectionLost : .protocol, purpose: purpose,
        message: String(cString: PQerrorMessage(connection)).onOneLine, server: server)
    }
    let result = ResultHandle(answer)
    switch PQresultStatus(answer) {
    case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR: throw error(result, connection, purpose: purpose)
    default: return result
    }
  }

  private func error(_ result: ResultHandle, _ connection: OpaquePointer, purpose: String) -> PostgreSQLError {
    let fields = ErrorFields(result.pointer)
    var error = fields.error(purpose: purpose, server: server)
    // libpq may say that it could not write while it takes the connection for a good one: it has not read to the end of what the server left.
    if error.sqlState == nil { PQconsumeInput(connection) }
    if fields.isFatal || PQstatus(connection) != CONNECTION_OK {
      isLost = true
      error.kind = .connectionLost
    } else if error.sqlState == .queryCanceled, interruption?.isRequested ?? false || canceller.isInterrupted {
      error.kind = .cancelled
    } else if error.sqlState == nil {
      error.kind = .protocol
    }
    return error
  }

  /// Takes the rest of the answers to a statement, so that the next can be sent. The first error among them is given back.
  @discardableResult
  func drain(_ connection: OpaquePointer, purpose: String) -> PostgreSQLError? {
    var first: PostgreSQLError?
    while let answer = PQgetResult(connection) {
      let status = PQresultStatus(answer)
      do throws(PostgreSQLError) {
        _ = try checkForError(answer, connection, purpose: purpose)
      } catch {
        first = first ?? error
      }
      // A COPY would be answered for ever.
      if status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH { break }
    }
    return first
  }

  /// Ends a COPY that nobody reads or writes any more.
  /// - Parameter isIn: whether the server waits for data
  func abandonCopy(_ connection: OpaquePointer, isIn: Bool = false) {
    var isIn = isIn
    while true {
      // A server that waits for data is told in their place. Cancelled as well, it might end the COPY before it has read the Sync that it ignores during one, and answer two of them: the second answer
      // would be taken for that to the next statement.
      if isIn { PQputCopyEnd(connection, "given up") } else { canceller.cancel() }
      var message: UnsafeMutablePointer<CChar>?
      while PQgetCopyData(connection, &message, 0) > 0 { PQfreemem(message) }
      var isCopy = false
      while !isCopy, let answer = PQgetResult(connection) {
        let status = PQresultStatus(answer)
        (isCopy, isIn) = (status == PGRES_COPY_IN || status == PGRES_COPY_OUT, status == PGRES_COPY_IN)
        PQclear(answer)
      }
      if !isCopy { return }
    }
  }

  /// How many rows a statement affected.
  func affectedRows(_ result: ResultHandle) -> Int {
    PQcmdTuples(result.pointer).flatMap { Int(String(cString: $0)) } ?? 0
  }
}
