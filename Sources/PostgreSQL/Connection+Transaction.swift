internal import CLibPQ

/// The isolation level of a transaction (PostgreSQL documentation, "Transaction Isolation").
public enum TransactionMode: Sendable {
  /// Every statement sees the transactions that were committed before it began.
  case readCommitted
  /// All statements see the transactions that were committed before the first statement. A conflict
  /// with another transaction gives `serializationFailure`.
  case repeatableRead
  /// As `repeatableRead`, and the server refuses writes.
  case readOnly

  var begin: String {
    switch self {
    case .readCommitted: "BEGIN ISOLATION LEVEL READ COMMITTED"
    case .repeatableRead: "BEGIN ISOLATION LEVEL REPEATABLE READ"
    case .readOnly: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    }
  }
}

extension Connection {
  /// Runs the closure in a transaction: COMMIT when it returns, ROLLBACK when it throws.
  /// Transactions do not nest; use `savepoint`.
  ///
  /// - Throws: every error of the closure; a `PostgreSQLError` if BEGIN or COMMIT fails. If the
  ///   connection breaks before the answer to COMMIT, its kind is `commitUnknown`. A COMMIT after a
  ///   failed statement always throws.
  @discardableResult
  public func transaction<T>(
    _ mode: TransactionMode = .readCommitted, purpose: String, _ body: () throws -> T
  ) throws -> T {
    guard !inTransaction else {
      throw PostgreSQLError(
        kind: .protocol, purpose: purpose, message: "a transaction is open already; use a savepoint", server: server)
    }
    canceller.setInTransaction(true)
    isInTransactionBlock = true
    defer {
      canceller.setInTransaction(false)
      isInTransactionBlock = false
    }
    let value: T
    do {
      try runSimple(mode.begin, purpose: purpose)
      value = try body()
    } catch {
      rollBack(purpose: purpose)
      throw error
    }
    try commit(purpose: purpose)
    return value
  }

  private func commit(purpose: String) throws(PostgreSQLError) {
    let answer: ResultHandle
    let wasUsable = isUsable
    do {
      answer = try runSimple("COMMIT", purpose: purpose, shielded: true)
    } catch {
      var error = error
      // If the connection was already known to be broken, no COMMIT was sent.
      if error.kind == .connectionLost, wasUsable { error.kind = .commitUnknown }
      rollBack(purpose: purpose)
      throw error
    }
    // The server answers the COMMIT of a failed transaction with ROLLBACK, not with an error.
    guard String(cString: PQcmdStatus(answer.pointer)) == "ROLLBACK" else { return }
    throw PostgreSQLError(
      kind: .statement, sqlState: .inFailedTransaction, purpose: purpose,
      message: "a statement of the transaction had failed, so the server rolled it back", server: server)
  }

  /// Ends the open transaction. If the server does not end it, the connection is closed.
  private func rollBack(purpose: String) {
    // A late cancel request, for instance from an administrator, may hit the first ROLLBACK.
    for _ in 0..<3 where isUsable && inTransaction {
      _ = try? runSimple("ROLLBACK", purpose: purpose, shielded: true)
    }
    if isUsable, let handle, PQtransactionStatus(handle) != PQTRANS_IDLE { close() }
  }

  /// Runs the closure after a savepoint. Its work is kept when it returns and undone when it
  /// throws. The transaction continues in both cases.
  ///
  /// - Throws: every error of the closure; a `PostgreSQLError` if no transaction is open
  @discardableResult
  public func savepoint<T>(
    _ name: String = "savepoint", purpose: String = "Setting a savepoint", _ body: () throws -> T
  ) throws -> T {
    let quoted = Connection.quoteIdentifier(name)
    try runSimple("SAVEPOINT \(quoted)", purpose: purpose)
    let value: T
    do {
      value = try body()
    } catch {
      for _ in 0..<3 where isUsable {
        let undo = "ROLLBACK TO SAVEPOINT \(quoted); RELEASE SAVEPOINT \(quoted)"
        if (try? runSimple(undo, purpose: purpose, shielded: true)) != nil { break }
      }
      throw error
    }
    try runSimple("RELEASE SAVEPOINT \(quoted)", purpose: purpose)
    return value
  }
}
