/// The SQL files of this folder, embedded in the program.
public enum SQL {
  /// A numbered step of the schema.
  public struct Migration: Sendable {
    /// The file's name without its ending, for example `m002_coverage`.
    public let name: String
    /// The statements.
    public let text: String
    /// Whether it must run outside a transaction, as CREATE INDEX CONCURRENTLY must.
    public var isOutsideTransaction: Bool { text.hasPrefix("-- outside a transaction") }
  }

  /// The schema's steps in their order.
  public static let migrations: [Migration] = [
    Migration(name: "m001_call_logs", text: string(PackageResources.m001_call_logs_sql)),
    Migration(name: "m002_coverage", text: string(PackageResources.m002_coverage_sql)),
    Migration(name: "m003_list_index", text: string(PackageResources.m003_list_index_sql)),
    Migration(name: "m004_gaps", text: string(PackageResources.m004_gaps_sql)),
    Migration(name: "m005_workers", text: string(PackageResources.m005_workers_sql)),
    Migration(name: "m006_archive", text: string(PackageResources.m006_archive_sql)),
    Migration(name: "m007_audio", text: string(PackageResources.m007_audio_sql)),
    Migration(name: "m008_recording_path", text: string(PackageResources.m008_recording_path_sql)),
    Migration(name: "m009_presence", text: string(PackageResources.m009_presence_sql)),
    Migration(name: "m010_purged_part", text: string(PackageResources.m010_purged_part_sql)),
    Migration(name: "m011_awaited", text: string(PackageResources.m011_awaited_sql)),
    Migration(name: "m012_export_request", text: string(PackageResources.m012_export_request_sql)),
    Migration(name: "m013_follower", text: string(PackageResources.m013_follower_sql)),
    Migration(name: "m014_remade", text: string(PackageResources.m014_remade_sql)),
    Migration(name: "m015_counts", text: string(PackageResources.m015_counts_sql)),
  ]

  /// The queries of Wazo's directory by name (`-- name: …` in directory/wazo.sql).
  public static let wazoDirectory: [String: String] = named(string(PackageResources.wazo_sql))

  /// Splits a file into its named queries.
  package static func named(_ text: String) -> [String: String] {
    var queries: [String: String] = [:]
    var name: String?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("-- name: ") {
        name = String(line.dropFirst("-- name: ".count))
      } else if let name, !line.hasPrefix("--") {
        queries[name, default: ""] += line + "\n"
      }
    }
    return queries
  }

  private static func string(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
