internal import CLibPQ

extension Connection {
  /// Runs `COPY … TO STDOUT` and gives each message to the closure. In binary and text form the
  /// server sends one row in each message; the first one also holds the header of the binary form.
  /// The pointer is valid only inside the closure. Returns the number of rows.
  ///
  /// An error of the closure cancels the COPY and is thrown. The connection remains usable; an open
  /// transaction has failed then.
  /// - Throws: `PostgreSQLError`, and every error of the closure
  @discardableResult
  public func copyOut(_ sql: String, purpose: String, _ row: (UnsafeRawBufferPointer) throws -> Void) throws -> Int {
    let connection = try begin(sql, purpose: purpose)
    defer { end() }
    try startCopy(sql, PGRES_COPY_OUT, connection, purpose: purpose)
    while true {
      var message: UnsafeMutablePointer<CChar>?
      let length = PQgetCopyData(connection, &message, 0)
      guard length > 0, let message else { break }
      defer { PQfreemem(message) }
      do {
        try row(UnsafeRawBufferPointer(start: message, count: Int(length)))
      } catch {
        abandonCopy(connection)
        throw error
      }
    }
    return try finishCopy(connection, purpose: purpose)
  }

  /// Runs `COPY … FROM STDIN` with the data that the closure writes. Returns the number of rows.
  ///
  /// An error of the closure ends the COPY, stores nothing and is thrown. The connection remains
  /// usable; an open transaction has failed then.
  /// - Throws: `PostgreSQLError`, and every error of the closure
  @discardableResult
  public func copyIn(_ sql: String, purpose: String, _ body: (CopyIn) throws -> Void) throws -> Int {
    let connection = try begin(sql, purpose: purpose)
    defer { end() }
    try startCopy(sql, PGRES_COPY_IN, connection, purpose: purpose)
    let copy = CopyIn(connection: self, handle: connection, purpose: purpose)
    defer { copy.isOpen = false }
    do {
      try body(copy)
    } catch {
      PQputCopyEnd(connection, "given up by the client")
      let answer = drain(connection, purpose: purpose)
      // The server's answer contains the reason for the refusal.
      guard let refusal = error as? CopyRefused else { throw error }
      throw answer ?? refusal.error
    }
    PQputCopyEnd(connection, nil)
    return try finishCopy(connection, purpose: purpose)
  }

  private func startCopy(
    _ sql: String, _ expected: ExecStatusType, _ connection: OpaquePointer, purpose: String
  ) throws(PostgreSQLError) {
    let result = try checkForError(PQexec(connection, sql), connection, purpose: purpose)
    let status = PQresultStatus(result.pointer)
    guard status != expected else { return }
    if status == PGRES_COPY_IN || status == PGRES_COPY_OUT { abandonCopy(connection, isIn: status == PGRES_COPY_IN) }
    let direction = expected == PGRES_COPY_OUT ? "COPY … TO STDOUT" : "COPY … FROM STDIN"
    throw PostgreSQLError(
      kind: .protocol, purpose: purpose, message: "the statement is not a \(direction)", server: server)
  }

  /// Reads the answer that ends a COPY. Returns its number of rows.
  private func finishCopy(_ connection: OpaquePointer, purpose: String) throws(PostgreSQLError) -> Int {
    guard let answer = PQgetResult(connection) else { throw missingAnswer(connection, purpose: purpose) }
    defer { drain(connection, purpose: purpose) }
    return affectedRows(try checkForError(answer, connection, purpose: purpose))
  }
}

/// The data of a COPY. It accepts no data after `Connection.copyIn` has returned.
public final class CopyIn {
  private unowned let connection: Connection
  private let handle: OpaquePointer
  private let purpose: String
  fileprivate(set) var isOpen = true
  /// In bytes. libpq's buffer grows to the largest piece and keeps that size.
  private static let pieceLength = 256 * 1024

  init(connection: Connection, handle: OpaquePointer, purpose: String) {
    self.connection = connection
    self.handle = handle
    self.purpose = purpose
  }

  /// Sends bytes. They need not be whole rows.
  ///
  /// - Throws: an error if the server has refused the data, or an interruption was requested. The
  ///   closure must pass it on: `copyIn` replaces it by the server's error.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard isOpen else {
      throw PostgreSQLError(kind: .protocol, purpose: purpose, message: "the COPY has ended")
    }
    var rest = bytes[...]
    while !rest.isEmpty {
      if connection.canceller.isInterrupted {
        throw PostgreSQLError(
          kind: .cancelled, purpose: purpose, message: "an interruption was requested", server: connection.server)
      }
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(CopyIn.pieceLength))
      let sent = PQputCopyData(handle, piece.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(piece.count))
      guard sent == 1 else { throw CopyRefused(error: connection.missingAnswer(handle, purpose: purpose)) }
      rest = rest.dropFirst(piece.count)
    }
  }
}

/// The server refused the data. Its answer contains the reason.
private struct CopyRefused: Error {
  var error: PostgreSQLError
}
