/// What an export looks like.
public enum ExportFormat: String, CaseIterable, Sendable {
  /// The API's CSV.
  case csv
  /// The CSV of Wazo's older administration guide.
  case legacyCSV = "legacy-csv"
  /// The API's JSON objects, one to a line.
  case jsonl

  /// What a file's name asks for by its ending, that of a compression aside; nil where it says nothing.
  public init?(fileName: String) {
    var name = fileName.lowercased()[...]
    for ending in [".zst", ".gz"] where name.hasSuffix(ending) { name = name.dropLast(ending.count) }
    if name.hasSuffix(".csv") {
      self = .csv
    } else if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") {
      self = .jsonl
    } else {
      return nil
    }
  }
}

/// How an export is compressed.
enum ExportCompression {
  case none, zstd, gzip

  /// What a file's name asks for by its ending.
  init(fileName: String) {
    let name = fileName.lowercased()
    self = name.hasSuffix(".zst") ? .zstd : name.hasSuffix(".gz") ? .gzip : .none
  }
}
