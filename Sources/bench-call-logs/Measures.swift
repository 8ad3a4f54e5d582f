import Foundation

/// The measures and the floor that they are held against.
struct Measures {
  let stage: Stage
  let runs: Int

  private static let tables = [
    "call_logd_call_log", "call_logd_call_log_participant", "call_logd_call_log_destination", "call_logd_recording",
  ]
  private static let columns =
    "id, eventtime, call_log_id, eventtype, userdeftype, cid_name, cid_num, exten, context, channame, appname, appdata, uniqueid, linkedid, "
    + "userfield, peer, extra"

  /// Takes all measures.
  /// - Returns: the lines of the table.
  func all() throws -> [String] {
    let unlinked = try median { try fresh().run(["backfill", "--no-link-cels"]) }
    let floor = try floor()
    let linked = try median { try fresh().run(["backfill"]) }
    let nothing = try median { try stage.run([]) }
    let update = try median {
      try vacuum()
      return try stage.psql(["-c", "UPDATE cel SET call_log_id = 1"])
    }
    let interpreted = try median {
      try stage.command([
        "sh", "-c", "exec \"$0\" interpret --directory \"$1\" --format jsonl \"$2\" >/dev/null", stage.program, stage.directory,
        stage.csv,
      ])
    }
    let version = try median { try stage.command([stage.program, "--version"]) }
    let all = floor.read.seconds + floor.write.seconds
    return [
      line("floor: COPY out of the CELs", floor.read.seconds, nil),
      line("floor: COPY in of the call logs", floor.write.seconds, nil),
      line("floor: UPDATE of call_log_id", update.seconds, nil),
      line("backfill, links off", unlinked.seconds, unlinked.seconds / all, perSecond: true),
      line("backfill, links on", linked.seconds, linked.seconds / (all + update.seconds), perSecond: true),
      line("interpret (CSV to JSON, one core)", interpreted.seconds, nil, perSecond: true),
      line("nightly run with nothing new", nothing.seconds, nil),
      line("start (--version)", version.seconds, nil),
    ]
  }

  private func line(_ what: String, _ seconds: Double, _ ratio: Double?, perSecond: Bool = false) -> String {
    let name = what.padding(toLength: 36, withPad: " ", startingAt: 0)
    let rate = perSecond ? String(format: "%12.0f CELs/s", Double(stage.cels) / seconds) : ""
    return name + String(format: "%9.3f s", seconds) + rate + (ratio.map { String(format: "   %.2f of the floor", $0) } ?? "")
  }

  /// The table without call logs, as after a load.
  private func fresh() throws -> Stage {
    try stage.run(["delete", "-A"])
    try vacuum()
    return stage
  }

  private func vacuum() throws {
    try stage.psql([
      "-c", "UPDATE cel SET call_log_id = NULL WHERE call_log_id IS NOT NULL", "-c", "VACUUM FULL cel", "-c", "VACUUM ANALYZE",
      "-c", "CHECKPOINT",
    ])
  }

  /// What psql takes for the same rows; the call logs are those that the program just made.
  private func floor() throws -> (read: Stage.Took, write: Stage.Took) {
    let read = try median {
      try stage.psql(["-c", "\\copy (SELECT \(Measures.columns) FROM cel ORDER BY id) TO '/dev/null' (FORMAT binary)"])
    }
    for table in Measures.tables {
      try stage.psql(["-c", "\\copy \(table) TO '\(stage.file(table))' (FORMAT binary)"])
      try stage.psql(["-c", "CREATE TABLE IF NOT EXISTS floor_\(table) (LIKE \(table) INCLUDING ALL)"])
    }
    try stage.psql([
      "-c", "ALTER TABLE floor_call_logd_call_log ADD FOREIGN KEY (tenant_uuid) REFERENCES call_logd_tenant ON DELETE CASCADE",
    ])
    for table in Measures.tables.dropFirst() {
      try stage.psql([
        "-c", "ALTER TABLE floor_\(table) ADD FOREIGN KEY (call_log_id) REFERENCES floor_call_logd_call_log ON DELETE CASCADE",
      ])
    }
    let write = try median {
      try stage.psql(["-c", "TRUNCATE \(Measures.tables.map { "floor_" + $0 }.joined(separator: ", "))", "-c", "CHECKPOINT"])
      return try stage.psql(Measures.tables.flatMap { ["-c", "\\copy floor_\($0) FROM '\(stage.file($0))' (FORMAT binary)"] })
    }
    try stage.psql(["-c", "DROP TABLE \(Measures.tables.map { "floor_" + $0 }.joined(separator: ", "))"])
    return (read, write)
  }

  private func median(_ measure: () throws -> Stage.Took) throws -> Stage.Took {
    let taken = try (0..<runs).map { _ in try measure() }.sorted { $0.seconds < $1.seconds }
    return taken[taken.count / 2]
  }
}
