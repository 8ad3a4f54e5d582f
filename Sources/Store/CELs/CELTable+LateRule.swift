import CallLogs
import PostgreSQL

/// How it is told that the row of a missing id can come no more.
extension CELTable {
  /// What tells that an id is final.
  public enum LateRule: Equatable, Sendable {
    /// Nobody is left who held the lock of a writer when the id was found missing: exact.
    case locks
    /// No lock can show who may still commit: an id is final when it has been missing for long. The reason is a clause such as `cel is a view`.
    case timed(reason: String)
  }

  /// Whether only time tells that an id is final. Then rows may come in any order, so that no conversation counts as lying wholly inside its chunk.
  public var isTimed: Bool { lateRule != .locks }

  /// The table, what inherits from it (partitions), and what it inherits from: a row may be written through any of them. `$1` is the table's oid.
  static let familyQuery = """
    WITH RECURSIVE heirs AS (
      SELECT $1::int8::oid AS relation UNION SELECT i.inhrelid FROM pg_inherits i JOIN heirs h ON i.inhparent = h.relation),
    parents AS (
      SELECT $1::int8::oid AS relation UNION SELECT i.inhparent FROM pg_inherits i JOIN parents p ON i.inhrelid = p.relation),
    family AS (SELECT relation FROM heirs UNION SELECT relation FROM parents)
    """

  /// Which rule holds for a table, and the sequence that gives its ids.
  static func readLateRule(_ oid: Int64, name: String, isOnStandby: Bool, _ connection: Connection) throws -> (
    rule: LateRule, sequence: String?
  ) {
    let sources = try IDSource.read(oid, connection)
    let sequence = sources.first(where: \.isOwn)?.sequence ?? sources.compactMap(\.sequence).first
    if isOnStandby {
      return (.timed(reason: "the CELs are on a standby, which does not show who writes on its primary"), sequence)
    }
    if let kind = try readRemoteKind(oid, connection) { return (.timed(reason: "\(name) \(kind)"), sequence) }
    if try isSubscribed(oid, connection) {
      return (.timed(reason: "\(name) is filled by logical replication, which gives ids in another order"), sequence)
    }
    if let flaw = IDSource.flaw(of: sources) { return (.timed(reason: flaw), sequence) }
    if let sequence, let lag = try readLag(name, sequence, connection) { return (.timed(reason: lag), sequence) }
    return (.locks, sequence)
  }

  /// How the sequence lags behind the table: then rows come with ids that it has not given, and no lock shows who has one. nil where it does not lag, or where this role may not see it.
  private static func readLag(_ name: String, _ sequence: String, _ connection: Connection) throws -> String? {
    // First the table: what comes in between is given by then.
    let greatest = try connection.query(
      "SELECT max(id)::int8 FROM \(name) WHERE \(CELTable.isFollowed)", purpose: "Looking up the greatest CEL id"
    ).int64(
      0, 0)
    guard let greatest, let last = try lastGiven(by: sequence, on: connection), last < greatest else { return nil }
    return
      "the sequence \(sequence) has given ids up to \(max(last, 0)) and the table has ids up to \(greatest), so that ids come from elsewhere"
  }

  /// The last id that the sequence has given, one less than its first where it has given none; nil where there is no sequence that counts upwards, or this role may not see it.
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

  /// Whether the sequence begins anew at its end, and gives ids once more that are covered.
  public func cycles(on connection: Connection) throws -> Bool {
    guard let sequence else { return false }
    return try connection.query(
      "SELECT seqcycle FROM pg_sequence WHERE seqrelid = to_regclass($1)", [.text(Connection.quoteQualifiedName(sequence))],
      purpose: "Looking up the sequence of the CELs' ids"
    ).bool(0, 0) == true
  }

  /// What it is if it is no table whose writers this server sees; nil where it is one.
  private static func readRemoteKind(_ oid: Int64, _ connection: Connection) throws -> String? {
    let rows = try connection.query(
      "\(familyQuery) SELECT c.relkind::text, c.oid::int8 = $1 FROM pg_class c JOIN heirs h ON c.oid = h.relation WHERE c.relkind NOT IN ('r', 'p')",
      [.int8(oid)], purpose: "Looking up what kind of table the CELs are in")
    guard let kind = rows.first?.string(0) else { return nil }
    if rows.first?.bool(1) != true { return "has parts that are foreign tables" }
    switch kind {
    case "v": return "is a view"
    case "m": return "is a materialized view"
    case "f": return "is a foreign table"
    default: return "is no ordinary table"
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

/// Where one table of the family gets its ids from.
private struct IDSource {
  /// Whether it is the CEL table itself.
  var isOwn: Bool
  /// The table, for messages.
  var table: String
  /// The sequence's qualified name; nil where the default has none.
  var sequence: String?
  /// Whether the id is the sequence's next value and nothing else.
  var isPlain: Bool
  var increment: Int64
  var cache: Int64

  /// Of every table of the family that has a default for its ids. A sequence need not be owned by the column that uses it.
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

  /// Why ids of these sources may be given in another order than rows are made; nil where they may not.
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
