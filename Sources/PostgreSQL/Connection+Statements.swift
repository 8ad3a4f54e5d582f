internal import CLibPQ

extension Connection {
  /// Runs one statement and returns its rows.
  /// - Throws: `PostgreSQLError`
  public func query(_ sql: String, _ parameters: [Parameter] = [], purpose: String) throws(PostgreSQLError) -> Rows {
    Rows(result: try run(sql, parameters, purpose: purpose))
  }

  /// Runs one statement and returns the number of rows that it affected; 0 for statements such as
  /// CREATE.
  /// - Throws: `PostgreSQLError`
  @discardableResult
  public func execute(_ sql: String, _ parameters: [Parameter] = [], purpose: String) throws(PostgreSQLError) -> Int {
    affectedRows(try run(sql, parameters, purpose: purpose))
  }

  /// Runs several statements, separated by semicolons. They are one transaction, unless they
  /// contain BEGIN and COMMIT.
  /// - Throws: `PostgreSQLError`
  public func script(_ sql: String, purpose: String) throws(PostgreSQLError) {
    try runSimple(sql, purpose: purpose)
  }

  /// Runs a query and gives its rows singly to the closure, in constant memory. An error of the
  /// closure cancels the query and is thrown. The connection remains usable; an open transaction
  /// has failed then.
  /// - Throws: `PostgreSQLError`, and every error of the closure
  public func stream(
    _ sql: String, _ parameters: [Parameter] = [], purpose: String, _ row: (RowView) throws -> Void
  ) throws {
    let connection = try begin(sql, purpose: purpose)
    defer { end() }
    let sent = WireParameters.with(parameters) {
      PQsendQueryParams(connection, sql, Int32($0.types.count), $0.types, $0.values, $0.lengths, $0.formats, 1)
    }
    // The answer usually contains the reason for a failed sending, but not always.
    guard sent == 1 else {
      throw drain(connection, purpose: purpose) ?? missingAnswer(connection, purpose: purpose)
    }
    PQsetSingleRowMode(connection)
    while let answer = PQgetResult(connection) {
      let result: ResultHandle
      do throws(PostgreSQLError) {
        result = try check(answer, connection, purpose: purpose)
      } catch {
        drain(connection, purpose: purpose)
        throw error
      }
      do {
        for number in 0..<result.rowCount { try row(RowView(result: result, row: number)) }
      } catch {
        canceller.cancel()
        drain(connection, purpose: purpose)
        throw error
      }
    }
  }

  func run(_ sql: String, _ parameters: [Parameter], purpose: String) throws(PostgreSQLError) -> ResultHandle {
    let connection = try begin(sql, purpose: purpose)
    defer { end() }
    let answer = WireParameters.with(parameters) {
      PQexecParams(connection, sql, Int32($0.types.count), $0.types, $0.values, $0.lengths, $0.formats, 1)
    }
    return try check(answer, connection, purpose: purpose)
  }

  /// Runs SQL by the simple query protocol and returns the last answer.
  @discardableResult
  func runSimple(_ sql: String, purpose: String, shielded: Bool = false) throws(PostgreSQLError) -> ResultHandle {
    let connection = try begin(sql, purpose: purpose, shielded: shielded)
    defer { end() }
    return try check(PQexec(connection, sql), connection, purpose: purpose)
  }

  func missingAnswer(_ connection: OpaquePointer, purpose: String) -> PostgreSQLError {
    PostgreSQLError(
      kind: PQstatus(connection) == CONNECTION_OK ? .protocol : .connectionLost, purpose: purpose,
      message: String(cString: PQerrorMessage(connection)).onOneLine, server: server)
  }
}
