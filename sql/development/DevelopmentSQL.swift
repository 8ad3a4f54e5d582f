import SQL

/// The SQL that the demo and the benchmark need. It is not part of the program.
public enum DevelopmentSQL {
  /// The tables of a Wazo server that the demo and the benchmark need.
  public static let server = String(decoding: PackageResources.demo_server_sql, as: UTF8.self)

  /// The demo's closing reports, by name.
  public static let reports: [String: String] = SQL.named(
    String(decoding: PackageResources.demo_reports_sql, as: UTF8.self))
}
