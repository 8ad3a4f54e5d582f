internal import CLibPQ

/// What a transaction sees and may do.
public enum TransactionMode: Sendable {
  /// Every statement sees what is committed when it begins.
  case readCommitted
  /// All statements see what was committed when the first began; a collision with others gives `serializationFailure`.
  case repeatableRead
  /// As `repeatableRead`, and writing is refused.
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
  /// Runs the closure in a transaction: COMMIT when it returns, ROLLBACK when it throws. Transactions do not nest; see `savepoint`.
  ///
  /// - Throws: the closure's error; a `PostgreSQLError` if BEGIN or COMMIT fails. If the connection breaks before COMMIT is
  ///   answered its kind is `commitUnknown`. A transaction in which a statement had failed is never reported as stored.
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
      // A connection known to be broken before carried no COMMIT.
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

  /// Leaves no transaction open: if the server cannot be brought to end it, the connection is closed.
  private func rollBack(purpose: String) {
    // A late cancel request, of an administrator for instance, may hit the first ROLLBACK.
    for _ in 0..<3 where isUsable && inTransaction {
      _ = try? runSimple("ROLLBACK", purpose: purpose, shielded: true)
    }
    if isUsable, let handle, PQtransactionStatus(handle) != PQTRANS_IDLE { close() }
  }

  /// Runs the closure behind a savepoint: what it did is kept when it returns and undone when it throws, and the transaction goes
  /// on in both cases.
  ///
  /// - Throws: the closure's error; a `PostgreSQLError` if no transaction is open.
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
