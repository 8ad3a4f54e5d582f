import PostgreSQL
import Values

/// The program's report of an error of the server. It is in this room because the remedies name the
/// schema and its grants.
extension PostgreSQLError: ReportedError {
  /// The error, its statement and its server.
  public var report: String { description }

  /// The exit code, by the SQLSTATE (PostgreSQL, appendix A, "PostgreSQL Error Codes").
  public var exitReason: ExitReason {
    switch kind {
    case .connection:
      switch connectionFailure {
      case .authentication?: return .permission
      case .noSuchDatabase?: return .configuration
      // libpq failed before it reached a server: it could not read the connection string.
      case .other? where server.isEmpty: return .configuration
      default: break
      }
    case .connectionLost, .commitUnknown: return .unavailable
    case .cancelled: return .interrupted
    case .protocol: return .fault
    case .statement: break
    }
    guard let state = sqlState else { return kind == .connection ? .unavailable : .fault }
    switch state {
    case .insufficientPrivilege, .invalidPassword, .class("28"): return .permission
    // This program received no signal, so another session cancelled the statement at the server.
    case .deadlockDetected, .serializationFailure, .lockNotAvailable, .queryCanceled: return .busy
    case .readOnly: return .configuration
    case .undefinedTable, .undefinedColumn, .undefinedFunction, .class("3D"), .class("3F"), .class("0A"), .class("42"):
      return .configuration
    case .class("08"), .class("57"), .tooManyConnections: return .unavailable
    case .class("53"), .class("58"): return .inputOutput
    default: return kind == .connection ? .unavailable : .fault
    }
  }

  /// Advice for the reader; nil where the message is enough.
  public var remedy: String? {
    if kind == .connection {
      switch connectionFailure {
      case .unreachable?: return "start the server, or set db_uri (cel_db_uri for the CELs) to its address"
      case .authentication?: return "check user and password in db_uri or ~/.pgpass, and the server's pg_hba.conf"
      case .noSuchDatabase?: return "create it, or set db_uri (cel_db_uri for the CELs) to the right one"
      default: return nil
      }
    }
    guard let state = sqlState else { return nil }
    switch state {
    case .insufficientPrivilege:
      return message.contains("schema")
        ? "run `wazo-call-logs migrate` as the owner of the database, then give this role the rights of grants.sql"
        : "give this role the rights of grants.sql"
    case .readOnly:
      return "db_uri must lead to a database that takes writes, not to a standby or one with default_transaction_read_only"
    case .diskFull:
      return "make room on that disk and run the command again; everything committed stays, and nothing is half written"
    default: return nil
    }
  }
}
