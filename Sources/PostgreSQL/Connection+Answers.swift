internal import CLibPQ

extension Connection {
  /// Checks the answer to a statement that is not a COPY. An unexpected COPY is ended.
  /// - Throws: `PostgreSQLError`
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

  /// Checks an answer for an error.
  /// - Throws: `PostgreSQLError`
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
    // libpq may report a failed write while it believes the connection to be good: it has not yet
    // read the server's last bytes.
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

  /// Reads the remaining answers to a statement, so that the next one can be sent. Returns the
  /// first error among them.
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
      // PQgetResult would return the answer for a COPY forever.
      if status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH { break }
    }
    return first
  }

  /// Ends an abandoned COPY.
  /// - Parameter isIn: whether the server waits for data
  func abandonCopy(_ connection: OpaquePointer, isIn: Bool = false) {
    var isIn = isIn
    while true {
      // A server that waits for data gets an error in place of the data. It must not get a cancel
      // request besides. Such a request may end the COPY before the server reads the Sync that it
      // ignores during a COPY. The server would then send two answers, and the second one would be
      // taken for the answer to the next statement.
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

  /// The number of rows that a statement affected.
  func affectedRows(_ result: ResultHandle) -> Int {
    PQcmdTuples(result.pointer).flatMap { Int(String(cString: $0)) } ?? 0
  }
}
