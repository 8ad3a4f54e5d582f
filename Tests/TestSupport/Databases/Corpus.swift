import PostgreSQL
import Simulation

extension TestDatabase {
  /// The CSV of simulated calls.
  package static func csv(calls: Int, seed: UInt64, concurrent: Int = 30) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try simulation(calls: calls, seed: seed, concurrent: concurrent).writeCELs { bytes.append(contentsOf: $0) }
    return bytes
  }

  private static func simulation(calls: Int, seed: UInt64, concurrent: Int) throws -> Simulation {
    // Until 2024-05-06.
    try Simulation(
      SimulationOptions(calls: calls, seed: seed % 100_000, until: 1_714_989_600_000_000, users: 40, concurrentCalls: concurrent))
  }

  /// Loads simulated calls, and the directory that they go by.
  package func simulate(calls: Int, seed: UInt64, concurrent: Int = 30, directory: Bool = true) throws {
    let csv = try TestDatabase.csv(calls: calls, seed: seed, concurrent: concurrent)
    let header = String(decoding: csv.prefix { $0 != 0x0A }, as: UTF8.self)
    try admin.copyIn("COPY cel (\(header)) FROM STDIN (FORMAT csv, HEADER)", purpose: "Loading CELs") { copy in
      try csv.withUnsafeBytes { try copy.write($0) }
    }
    if directory {
      let sql = try TestDatabase.simulation(calls: calls, seed: seed, concurrent: concurrent).directorySQL()
      try run(String(decoding: sql, as: UTF8.self))
    }
    try run("SELECT setval('cel_id_seq', (SELECT max(id) FROM cel))")
  }

  /// Makes the calls harder to tell apart: some rows get lost, calls share channels so that
  /// conversations have several linkedids, rows come late with a high id, ids are mixed within a
  /// window and have holes.
  package func roughen(_ random: inout Seeded) throws {
    let ids = try rows("id FROM cel ORDER BY id").compactMap(Int64.init)
    let lost = ids.filter { _ in random.oneIn(60) }
    try run("DELETE FROM cel WHERE id = ANY('{\(list(lost))}')")
    // A channel of one call appears in another one, early or late.
    for _ in 0..<(ids.count / 150) {
      guard let a = ids.randomElement(using: &random), let b = ids.randomElement(using: &random) else { continue }
      let events = ["BRIDGE_EXIT", "HANGUP", "CHAN_END", "LINKEDID_END", "BRIDGE_ENTER"]
      try run(
        """
        INSERT INTO cel (eventtype, eventtime, cid_name, cid_num, channame, uniqueid, linkedid)
        SELECT '\(events.randomElement(using: &random) ?? "")', a.eventtime, a.cid_name, a.cid_num, a.channame, a.uniqueid, b.linkedid
        FROM cel a, cel b WHERE a.id = \(a) AND b.id = \(b) AND a.channame NOT LIKE 'Message/%' AND b.channame NOT LIKE 'Message/%'
        """)
    }
    // A conversation's own event comes late.
    for _ in 0..<(ids.count / 150) {
      guard let a = ids.randomElement(using: &random) else { continue }
      try run("UPDATE cel SET id = nextval('cel_id_seq') WHERE id = \(a)")
    }
    let window = [1, 40, 400, 100_000].randomElement(using: &random) ?? 1
    let factor = [1, 1, 3, 1000].randomElement(using: &random) ?? 1
    let left = try rows("id FROM cel ORDER BY id").compactMap(Int64.init)
    let places = left.indices.map { ($0 + Int.random(in: 0..<window, using: &random), $0) }.sorted { $0 < $1 }.map(\.1)
    let moved = places.indices.map { left[places[$0]] }
    try run(
      """
      UPDATE cel SET id = -id;
      UPDATE cel SET id = v.number * \(factor) FROM unnest('{\(list(moved))}'::int[]) WITH ORDINALITY AS v(id, number) WHERE cel.id = -v.id;
      SELECT setval('cel_id_seq', (SELECT max(id) FROM cel));
      """)
  }

  private func list(_ ids: [Int64]) -> String { ids.map(String.init).joined(separator: ",") }

  /// Copies the CELs and the directory of another database, so that both start from the same.
  package func copy(from other: TestDatabase) throws {
    for table in [
      "cel", "tenant", "context", "userfeatures", "linefeatures", "user_line", "extensions", "line_extension", "voicemail",
    ] {
      try admin.copyIn("COPY \(table) FROM STDIN (FORMAT binary)", purpose: "Copying \(table)") { copy in
        try other.admin.copyOut("COPY \(table) TO STDOUT (FORMAT binary)", purpose: "Copying \(table)") { try copy.write($0) }
      }
    }
    try run("SELECT setval('cel_id_seq', (SELECT max(id) FROM cel))")
  }
}
