/// An error in the settings. Each is an error of configuration (exit code 78), and its text says
/// what to change.
///
/// No case holds a password: the program redacts secret values first.
public enum SettingsError: Error, Equatable, Sendable {
  /// A file does not exist. `namedBy` is the option or environment variable that names it.
  case missingFile(path: String, namedBy: String)
  /// A file or folder exists but cannot be read.
  case unreadableFile(path: String, reason: String)
  /// A file is not YAML, or not a map of keys. `line` counts from 1; it is nil if unknown.
  case notYAML(path: String, line: Int?, reason: String)
  /// A value is not allowed. `source` is its place, and `allowed` lists the allowed values.
  case invalidValue(key: String, value: String, source: String, allowed: String)
  /// No source names a database.
  case noDatabase
  /// No source names a database for the service.
  case noServiceDatabase
}

extension SettingsError: CustomStringConvertible {
  /// The error as a sentence for an administrator.
  public var description: String {
    switch self {
    case .missingFile(let path, let namedBy):
      "The configuration file \(path), named by \(namedBy), does not exist."
    case .unreadableFile(let path, let reason):
      "The configuration \(path) cannot be read: \(reason)."
    case .notYAML(let path, let line, let reason):
      "The configuration file \(path) cannot be used\(line.map { ", line \($0)" } ?? ""): \(reason)."
    case .invalidValue(let key, let value, let source, let allowed):
      "\(key) cannot be \(value) (\(source)); allowed: \(allowed)."
    case .noDatabase:
      """
      No database is set. Set db_uri in /etc/wazo-call-logs/config.yml, in the environment variable \
      \(Settings.Key.dbURI.environmentName) or with \(Settings.Key.dbURI.optionName), for example \
      postgresql://asterisk@localhost/asterisk, or set libpq's variables (PGHOST, PGDATABASE, PGUSER, PGSERVICE).
      """
    case .noServiceDatabase:
      """
      No database is set. Set db_uri in /etc/wazo-call-logd/config.yml or /etc/wazo-call-logs/config.yml, or in the \
      environment variable \(Settings.Key.dbURI.environmentName), for example postgresql://asterisk@localhost/asterisk, or \
      set libpq's variables (PGHOST, PGDATABASE, PGUSER, PGSERVICE).
      """
    }
  }
}
