import CallLogs
import PostgreSQL

/// The rule by which a missing id becomes final, so that its row can no longer appear.
extension CELTable {
  /// The rule by which a missing id becomes final.
  public enum LateRule: Equatable, Sendable {
    /// An id is final when no writer is left that held a lock when the id was found missing. This
    /// rule is exact.
    case locks
    /// An id is final when it has been missing for the time `final_after`, because locks cannot
    /// show every writer. The reason is a clause such as `cel is a view`.
    case timed(reason: String)
  }

  /// Whether the time rule holds. Then rows may come in any order, and no conversation counts as
  /// lying wholly inside its chunk.
  public var isTimed: Bool { lateRule != .locks }

  /// SQL for the table, its children (partitions) and its parents, because a row may be written
  /// through any of them. `$1` is the table's oid.
  static let familyQuery = """
    WITH RECURSIVE heirs AS (
      SELECT $1::int8::oid AS relation UNION SELECT i.inhrelid FROM pg_inherits i JOIN heirs h ON i.inhparent = h.relation),
    parents AS (
      SELECT $1::int8::oid AS relation UNION SELECT i.inhparent FROM pg_inherits i JOIN parents p ON i.inhrelid = p.relation),
    family AS (SELECT relation FROM heirs UNION SELECT relation FROM parents)
    """

  /// Determines the rule for a table, and the sequence of its ids.
  static func readLateRule(_ oid: Int64, name: String, isOnStandby: Bool, _ connection: Connection) throws -> (
    rule: LateRule, sequence: String?
  ) {
    let sources = try IDSource.read(oid, connection)
    let sequence = sources.first(where: \.isOwn)?.sequence ?? sources.compactMap(\.sequence).first
    if isOnStandby {
      return (.timed(reason: "the CELs are on a standby, which does not show the writers on its primary"), sequence)
    }
    if let kind = try readRemoteKind(oid, connection) { return (.timed(reason: "\(name) \(kind)"), sequence) }
    if try isSubscribed(oid, connection) {
      return (.timed(reason: "logical replication fills \(name), and gives ids in another order"), sequence)
    }
    if let flaw = IDSource.flaw(of: sources) { return (.timed(reason: flaw), sequence) }
    if let sequence, let lag = try readLag(name, sequence, connection) { return (.timed(reason: lag), sequence) }
    return (.locks, sequence)
  }

  /// Describes how the sequence lags behind the table; nil where it does not, or where this role
  /// may not see it. If it lags, rows come with ids that the sequence did not give, and locks do
  /// not show their writers.
  private static func readLag(_ name: String, _ sequence: String, _ connection: Connection) throws -> String? {
    // Read the table first: the sequence has given by then any id that comes in between.
    let greatest = try connection.query(
      "SELECT max(id)::int8 FROM \(name) WHERE \(CELTable.isFollowed)", purpose: "Looking up the greatest CEL id"
    ).int64(
      0, 0)
    guard let greatest, let last = try lastGiven(by: sequence, on: connection), last < greatest else { return nil }
    return
      "the sequence \(sequence) has given ids up to \(max(last, 0)) and the table has ids up to \(greatest), so some ids come from elsewhere"
  }

  /// The last id that the sequence has given; its first id minus one where it has given none. It is
  /// nil where there is no ascending sequence, or this role may not see it.
  /// - Throws: an error of PostgreSQL.
  public func lastGiven(on connection: Connection) throws -> Int64? {
    guard let sequence else { return nil }
    return try CELTable.lastGiven(by: sequence, on: connection)
  }

  private static func lastGiven(by sequence: String, on connection: Connection) throws -> Int64? {
    let quoted = Connection.quoteQualifiedName(sequence)
    let known = try connection.query(
      "SELECT has_sequence_privilege($1, 'SELECT'), seqincrement > 0 FROM pg_sequence WHERE seqrelid = to_regclass($1)",
      [.text(quoted)], purpose: "Looking up the sequence of the CELs' ids")
    guard known.count == 1, known.bool(0, 0) == true, known.bool(0, 1) == true else { return nil }
    return try connection.query(
      "SELECT (CASE WHEN is_called THEN last_value ELSE last_value - 1 END)::int8 FROM \(quoted)",
      purpose: "Looking up the sequence of the CELs' ids"
    ).int64(0, 0)
  }

  /// Whether the sequence has CYCLE: at its end it starts again, and would give covered ids.
  /// - Throws: an error of PostgreSQL.
  public func cycles(on connection: Connection) throws -> Bool {
    guard let sequence else { return false }
    return try connection.query(
      "SELECT seqcycle FROM pg_sequence WHERE seqrelid = to_regclass($1)", [.text(Connection.quoteQualifiedName(sequence))],
      purpose: "Looking up the sequence of the CELs' ids"
    ).bool(0, 0) == true
  }

  /// Describes a relation whose writers this server does not see; nil for an ordinary table.
  private static func readRemoteKind(_ oid: Int64, _ connection: Connection) throws -> String? {
    let rows = try connection.query(
      "\(familyQuery) SELECT c.relkind::text, c.oid::int8 = $1 FROM pg_class c JOIN heirs h ON c.oid = h.relation WHERE c.relkind NOT IN ('r', 'p')",
      [.int8(oid)], purpose: "Looking up the kind of the CEL table")
    guard let kind = rows.first?.string(0) else { return nil }
    if rows.first?.bool(1) != true { return "has parts that are foreign tables" }
    switch kind {
    case "v": return "is a view"
    case "m": return "is a materialized view"
    case "f": return "is a foreign table"
    default: return "is not an ordinary table"
    }
  }

  private static func isSubscribed(_ oid: Int64, _ connection: Connection) throws -> Bool {
    let may = try connection.query(
      "SELECT has_table_privilege('pg_subscription_rel', 'SELECT')", purpose: "Looking up the right to see subscriptions")
    guard may.bool(0, 0) == true else { return false }
    return try connection.query(
      "\(familyQuery) SELECT EXISTS (SELECT FROM pg_subscription_rel s JOIN family f ON s.srrelid = f.relation)", [.int8(oid)],
      purpose: "Looking for subscriptions to the CEL table"
    ).bool(0, 0) == true
  }
}

/// The source of one table's ids.
private struct IDSource {
  /// Whether this is the CEL table itself, not a parent or child.
  var isOwn: Bool
  /// The table's name, for messages.
  var table: String
  /// The sequence's qualified name; nil where the default uses none.
  var sequence: String?
  /// Whether the default is exactly the next value of the sequence.
  var isPlain: Bool
  var increment: Int64
  var cache: Int64

  /// Reads the sources of all tables of the family that have a default for ids. The column that
  /// uses a sequence need not own it.
  static func read(_ oid: Int64, _ connection: Connection) throws -> [IDSource] {
    let rows = try connection.query(
      """
      \(CELTable.familyQuery)
      SELECT DISTINCT a.attrelid::int8 = $1, format('%I.%I', tn.nspname, t.relname), q.name,
             a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) ~ '^\\(?nextval\\(''[^'']*''::regclass\\)(\\)?::[a-z0-9 ]+)?$',
             q.seqincrement, q.seqcache
      FROM family f JOIN pg_class t ON t.oid = f.relation JOIN pg_namespace tn ON tn.oid = t.relnamespace
      JOIN pg_attribute a ON a.attrelid = f.relation AND a.attname = 'id' AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      LEFT JOIN LATERAL (
        SELECT format('%I.%I', n.nspname, c.relname) AS name, s.seqincrement, s.seqcache
        FROM pg_depend p JOIN pg_class c ON c.relkind = 'S' AND c.oid IN (p.objid, p.refobjid)
        JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid
        WHERE p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass AND p.refobjid = c.oid
           OR a.attidentity <> '' AND p.classid = 'pg_class'::regclass AND p.objid = c.oid
              AND p.refclassid = 'pg_class'::regclass AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum) q ON true
      WHERE a.attidentity <> '' OR d.oid IS NOT NULL
      """, [.int8(oid)], purpose: "Looking for the sequence of the CELs' ids")
    return rows.map { row in
      IDSource(
        isOwn: row.bool(0) == true, table: row.string(1) ?? "", sequence: row.string(2), isPlain: row.bool(3) == true,
        increment: row.int64(4) ?? 1, cache: row.int64(5) ?? 1)
    }
  }

  /// Explains why these sources may give ids in another order than that of the rows; nil where they
  /// cannot.
  static func flaw(of sources: [IDSource]) -> String? {
    if let odd = sources.first(where: { $0.sequence == nil || !$0.isPlain }) {
      return "the default of \(odd.table).id is not just the next value of a sequence"
    }
    let names = Set(sources.compactMap(\.sequence)).sorted()
    guard let name = names.first, let source = sources.first else { return "the ids do not come from a sequence" }
    if names.count > 1 { return "the ids come from several sequences (\(names.joined(separator: ", ")))" }
    if source.increment != 1 { return "the sequence \(name) has INCREMENT \(source.increment)" }
    return source.cache > 1 ? "the sequence \(name) has CACHE \(source.cache)" : nil
  }
}
