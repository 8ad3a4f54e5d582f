import PostgreSQL

extension Failure {
  /// What to do about an error of the server's, as the end of a sentence; nil where its message says it, or nothing but the message helps.
  static func remedy(of error: PostgreSQLError) -> String? {
    if error.kind == .connection {
      switch error.connectionFailure {
      case .unreachable?: return "start the server, or set db_uri (cel_db_uri for the CELs) to where it is"
      case .authentication?: return "check user and password in db_uri or ~/.pgpass, and the server's pg_hba.conf"
      case .noSuchDatabase?: return "create it, or set db_uri (cel_db_uri for the CELs) to the one that is meant"
      default: return nil
      }
    }
    guard let state = error.sqlState else { return nil }
    switch state {
    case .insufficientPrivilege:
      return error.message.contains("schema")
        ? "run `wazo-call-logs migrate` as the owner of the database, then give this role the rights of grants.sql"
        : "give this role the rights of grants.sql"
    case .readOnly:
      return "db_uri must lead to a database that takes writes, not to a standby or one with default_transaction_read_only"
    case .diskFull: return "make room there and run it again; what is committed stays, nothing is half written"
    default: return nil
    }
  }
}
