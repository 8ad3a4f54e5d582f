import PostgreSQL

/// The indexes that searches in lists of call logs use where they exist. Everything works without
/// them, and call logs are written faster.
public enum SearchIndex: String, CaseIterable, Sendable {
  /// Of the trigrams of caller and callee, names and numbers.
  case text = "call_logd_call_log__idx__search"
  /// Of the tags of participants.
  case tags = "call_logd_call_log_participant__idx__tags"

  /// The text that ``text`` is an index of: names and numbers of caller and callee, each in a line.
  /// - Parameter table: the name of the table of call logs in the statement
  public static func expression(_ table: String) -> String {
    ["source_name", "source_exten", "destination_name", "destination_exten"]
      .map { "coalesce(\(table).\($0), '')" }.joined(separator: " || E'\\n' || ")
  }

  /// The table that it belongs to.
  public var table: String {
    switch self {
    case .text: "call_logd_call_log"
    case .tags: "call_logd_call_log_participant"
    }
  }

  /// The statement that makes it while others write.
  public var sql: String {
    let what =
      switch self {
      case .text: "(\(SearchIndex.expression(table))) gin_trgm_ops"
      case .tags: "tags"
      }
    return "CREATE INDEX CONCURRENTLY IF NOT EXISTS \(rawValue) ON \(table) USING gin (\(what))"
  }

  /// What an administrator runs where this program may not: all statements that make both.
  public static var script: String {
    (["CREATE EXTENSION IF NOT EXISTS pg_trgm"] + allCases.map(\.sql) + ["ANALYZE call_logd_call_log"])
      .map { $0 + ";\n" }.joined()
  }

  /// Those that the server can use. It only reads.
  /// - Throws: `PostgreSQLError` where the server refuses
  public static func usable(on connection: Connection) throws(PostgreSQLError) -> Set<SearchIndex> {
    let rows = try connection.query(
      """
      SELECT x.relname::text FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
      WHERE i.indisvalid AND i.indrelid IN (to_regclass('call_logd_call_log'), to_regclass('call_logd_call_log_participant'))
        AND x.relname = ANY($1)
      """, [.textArray(allCases.map(\.rawValue))], purpose: "Looking for search indexes")
    return Set(rows.compactMap { row in row.string(0).flatMap { SearchIndex(rawValue: $0) } })
  }
}

extension Migrator {
  /// Makes the search indexes that do not exist, while others write call logs. One that an
  /// interrupted run left unfinished is made again.
  /// - Parameter report: called with the name of each index before it is made
  /// - Returns: the names of those made
  /// - Throws: ``StoreError`` with the SQL for an administrator, where the extension pg_trgm is not
  ///   installed or the role may not do it; errors of the server
  public func makeSearchIndexes(report: (String) -> Void = { _ in }) throws -> [String] {
    try alone {
      let usable = try SearchIndex.usable(on: connection)
      let missing = SearchIndex.allCases.filter { !usable.contains($0) }
      guard !missing.isEmpty else { return [] }
      do throws(PostgreSQLError) {
        try dropInvalidIndexes()
        if missing.contains(.text) {
          try connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm", purpose: "Creating the extension pg_trgm")
        }
        for index in missing {
          report(index.rawValue)
          try connection.execute(index.sql, purpose: "Creating the index \(index.rawValue)")
        }
        // Only then the server knows how many call logs a text is in.
        if missing.contains(.text) {
          try connection.execute("ANALYZE call_logd_call_log", purpose: "Counting what the index holds")
        }
      } catch {
        throw Migrator.obstacle(error)
      }
      return missing.map(\.rawValue)
    }
  }

  /// What a person can do about an error while search indexes are made.
  private static func obstacle(_ error: PostgreSQLError) -> any Error {
    // 0A000 and 58P01: the server has no files of the extension (PostgreSQL, CREATE EXTENSION).
    switch error.sqlState {
    case .insufficientPrivilege?, SQLState(rawValue: "0A000")?, SQLState(rawValue: "58P01")?:
      return StoreError(
        .configuration,
        """
        the search indexes cannot be made: \(error.message). pg_trgm is part of PostgreSQL's own packages \
        (postgresql-contrib). An administrator can make the indexes with psql:
        \(SearchIndex.script)
        """)
    case .lockNotAvailable?:
      return StoreError(
        .busy,
        "the search indexes could not be made: a long transaction is in the way; run `wazo-call-logs migrate --search` again"
      )
    default: return error
    }
  }
}
