/// The format of an export.
public enum ExportFormat: String, CaseIterable, Sendable {
  /// The CSV of Wazo's API.
  case csv
  /// The CSV of Wazo's former administration guide.
  case legacyCSV = "legacy-csv"
  /// The JSON objects of Wazo's API, one per line.
  case jsonl

  /// Derives the format from a file name, after removing the ending of a compression; nil where the
  /// name does not show it.
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

/// The compression of an export.
enum ExportCompression {
  case none, zstd, gzip

  /// Derives the compression from the ending of a file name.
  init(fileName: String) {
    let name = fileName.lowercased()
    self = name.hasSuffix(".zst") ? .zstd : name.hasSuffix(".gz") ? .gzip : .none
  }
}
