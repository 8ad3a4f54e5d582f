/// What the four tables of call logs hold, and which conversation each CEL points to, in values
/// that can be compared.
package struct Dump: Equatable, Sendable {
  /// One text to a row.
  package var rows: Set<String>

  /// What these rows say.
  package init(rows: Set<String>) { self.rows = rows }

  /// How the two differ, a few rows of each; empty where they are equal.
  package func difference(from other: Dump) -> String {
    func some(_ rows: Set<String>, _ sign: String) -> String {
      rows.isEmpty ? "" : "\(sign)\(rows.count):\n" + rows.sorted().prefix(4).map { "  \(sign)\($0)\n" }.joined()
    }
    return some(rows.subtracting(other.rows), "+") + some(other.rows.subtracting(rows), "-")
  }
}

extension TestDatabase {
  /// What the tables hold, call log ids aside: two runs that did the same give the same. Every
  /// other column counts, uuids too.
  package func contents() throws -> Dump {
    var all: [String] = []
    all += try rows("'log ' || (to_jsonb(l) - 'id')::text FROM call_logd_call_log l")
    for table in ["call_logd_call_log_participant", "call_logd_call_log_destination", "call_logd_recording"] {
      all += try rows(
        "'\(table) ' || l.conversation_id || ' ' || (to_jsonb(x) - 'call_log_id')::text FROM \(table) x LEFT JOIN call_logd_call_log l ON l.id = x.call_log_id"
      )
    }
    return Dump(rows: Set(all))
  }

  /// What the tables hold, ids and all.
  package func contentsWithIDs() throws -> Dump {
    var all: [String] = []
    for table in [
      "call_logd_call_log", "call_logd_call_log_participant", "call_logd_call_log_destination", "call_logd_recording",
    ] {
      all += try rows("'\(table) ' || to_jsonb(x)::text FROM \(table) x")
    }
    return Dump(rows: Set(all))
  }

  /// The conversation that each CEL points to.
  package func links() throws -> Dump {
    Dump(
      rows: Set(
        try rows(
          "c.id, c.call_log_id IS NULL, l.conversation_id FROM cel c LEFT JOIN call_logd_call_log l ON l.id = c.call_log_id")))
  }

  /// `conversation_id`s of all call logs, in order.
  package func conversations() throws -> [String] {
    try rows("coalesce(conversation_id, 'NULL') COLLATE \"C\" FROM call_logd_call_log ORDER BY 1")
  }

  /// Linkedids whose conversation lacks a LINKEDID_END, found by SQL alone, in order.
  package func openLinkedids() throws -> [String] {
    try rows(
      """
      l FROM (
        WITH RECURSIVE pairs AS MATERIALIZED (
          SELECT DISTINCT linkedid AS l, uniqueid AS u FROM cel WHERE linkedid <> '' AND octet_length(linkedid) <= 2000 AND channame <> 'Message/ast_msg_queue'),
        touching AS MATERIALIZED (
          SELECT DISTINCT a.l, b.l AS other FROM pairs a JOIN pairs b ON a.u = b.u AND a.u <> '' AND a.l <> b.l),
        without_end AS (
          SELECT DISTINCT l FROM pairs WHERE NOT EXISTS (SELECT FROM cel e WHERE e.linkedid = l AND e.eventtype = 'LINKEDID_END')),
        open AS (SELECT l FROM without_end UNION SELECT t.other FROM open o JOIN touching t ON t.l = o.l)
        SELECT l FROM open) AS found ORDER BY l COLLATE "C"
      """)
  }

  /// The id of a conversation's call log, `no row` where there is none.
  package func id(of conversation: String) throws -> String {
    try value("id FROM call_logd_call_log WHERE conversation_id = '\(conversation)'")
  }

  /// The coverage, such as `{[0,31)}`.
  package func coverage() throws -> String { try value("covered::text FROM call_logd_checkpoint") }
}
