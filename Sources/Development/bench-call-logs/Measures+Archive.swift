import Foundation

/// Archives against psql and zstd, with one file for each table.
extension Measures {
  private static let orders = [
    "call_logd_call_log": "date, id", "call_logd_call_log_participant": "call_log_id, uuid",
    "call_logd_call_log_destination": "call_log_id, uuid", "call_logd_recording": "call_log_id, uuid",
  ]

  /// `archive`, then `purge` of the archived rows, then `restore` of all call logs.
  func archives(_ stage: Stage) throws {
    let done = "bench_archive"
    // Only CELs have links. Without them the copies are small.
    try commands.wazo(stage.copy(as: done), backfill(links: false))
    try commands.sql(done, "TRUNCATE cel", "VACUUM (FREEZE, ANALYZE)", "CHECKPOINT")
    let before = try sums(done)

    let floor = try median { try floorArchive(done) }
    line("floor: psql COPY | zstd -3", floor)
    var (verifying, sizes) = ([0.0], (archive: 0, content: 0))
    let folder = commands.file("archive")
    let place = ["--archive-dir", folder, "--table", "call-logs"]
    let archived = try median {
      try? FileManager.default.removeItem(atPath: folder)
      let copy = try stage.copy(done)
      // A copy is another database, and its CELs are gone. It gets a checkpoint of its own.
      try commands.wazo(copy, ["--rebase", "--no-link-cels"])
      var took = try commands.wazo(copy, ["archive", "-d", "0", "--yes", "--format", "json"] + place)
      let report = try Report(took.text)
      verifying.append(report.milliseconds["verifying", default: 0] / 1000)
      sizes = (report.bytes, report.contentBytes)
      took.seconds -= verifying[verifying.count - 1]
      return took
    }
    line("archive of \(stage.calls) calls, less verifying", archived, floor: floor.seconds, reach: "1.15, 200 MB")
    print("  verifying \(seconds(verifying.sorted()[verifying.count / 2])) more")
    let least = try size(Floor.tables.map { commands.file($0) + ".csv.zst" })
    print("  \(sizes.content) bytes of CSV, \(sizes.archive) in the archive, \(least) by zstd -3")

    let work = try stage.copy(done)
    try commands.wazo(work, ["--rebase", "--no-link-cels"])
    try? FileManager.default.removeItem(atPath: folder)
    let purged = try commands.wazo(work, ["purge", "-d", "0", "--yes", "--format", "json"] + place)
    let report = try Report(purged.text).milliseconds
    line("purge of \(stage.calls) calls, one run", purged)
    print(
      "  "
        + ["writing", "verifying", "deleting"].map { "\($0) \(seconds(report[$0, default: 0] / 1000))" }.joined(separator: ", "))

    let empty = "bench_empty"
    try commands.sql(work, "VACUUM (FREEZE, ANALYZE)", "CHECKPOINT")
    try stage.copy(work, as: empty)
    // The archive belongs to this database, so the rows come back here each time.
    var isEmpty = true
    let back = try median {
      if !isEmpty { try commands.wazo(work, ["purge", "-d", "0", "--yes"] + place) }
      isEmpty = false
      return try commands.wazo(work, ["restore", "--keep-restored", "0"] + place)
    }
    guard try sums(work) == before else {
      throw Wrong(description: "the restored rows differ from the archived ones")
    }
    let floorBack = try median { try floorRestore(stage.copy(empty)) }
    line("floor: zstdcat | psql COPY FROM", floorBack)
    line("restore, all verified", back, floor: floorBack.seconds, reach: "1.15, 200 MB")
    try stage.drop(empty)
    try stage.drop(done)
  }

  private func floorArchive(_ database: String) throws -> Commands.Took {
    let pipes = Floor.tables.map { table in
      "psql -XqAt -v ON_ERROR_STOP=1 -d \(database) -c 'COPY (SELECT * FROM \(table) ORDER BY \(Measures.orders[table, default: "1"])) "
        + "TO STDOUT (FORMAT csv, HEADER)' | zstd -q -f -3 -o '\(commands.file(table)).csv.zst'"
    }
    return try commands.run(["sh", "-c", pipes.joined(separator: " && ")])
  }

  private func floorRestore(_ database: String) throws -> Commands.Took {
    let pipes = Floor.tables.map { table in
      "zstdcat '\(commands.file(table)).csv.zst' | psql -Xq -v ON_ERROR_STOP=1 -d \(database) -c 'COPY \(table) FROM STDIN (FORMAT csv, HEADER)'"
    }
    return try commands.run(["sh", "-c", pipes.joined(separator: " && ")])
  }

  /// Checksums that show whether the tables are the same.
  private func sums(_ database: String) throws -> [String] {
    try Floor.tables.map {
      try commands.sql(database, "SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM \($0) t").text
    }
  }

  private func size(_ paths: [String]) throws -> Int {
    try paths.reduce(0) { try $0 + (FileManager.default.attributesOfItem(atPath: $1)[.size] as? Int ?? 0) }
  }

  private func seconds(_ value: Double) -> String { String(format: "%.3f s", value) }

  /// The JSON of archive and purge on one table.
  private struct Report: Decodable {
    let bytes: Int
    let contentBytes: Int
    let milliseconds: [String: Double]

    private struct Tables: Decodable { let tables: [Report] }

    init(_ text: String) throws {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      guard let report = try decoder.decode(Tables.self, from: Data(text.utf8)).tables.first else {
        throw Wrong(description: "no table in \(text)")
      }
      self = report
    }
  }

  private struct Wrong: Error, CustomStringConvertible { let description: String }
}
