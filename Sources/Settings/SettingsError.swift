/// Why settings could not be loaded. Each is a matter of configuration (exit code 78) and says what to change.
///
/// No case holds a password: values of secret settings are redacted before they get here.
public enum SettingsError: Error, Equatable, Sendable {
  /// The file that `namedBy` (an option or an environment variable) asks for is not there.
  case missingFile(path: String, namedBy: String)
  /// A file or folder is there but cannot be read.
  case unreadableFile(path: String, reason: String)
  /// A file is not YAML, or not a map of keys. `line` counts from 1, nil where the parser does not tell.
  case notYAML(path: String, line: Int?, reason: String)
  /// A key has a value that it cannot have. `source` says where it stands, `allowed` what it may be.
  case invalidValue(key: String, value: String, source: String, allowed: String)
  /// No database is named anywhere.
  case noDatabase
}

extension SettingsError: CustomStringConvertible {
  /// The error in words, for an administrator.
  public var description: String {
    switch self {
    case .missingFile(let path, let namedBy):
      "The configuration file \(path), named by \(namedBy), does not exist."
    case .unreadableFile(let path, let reason):
      "The configuration \(path) cannot be read: \(reason)."
    case .notYAML(let path, let line, let reason):
      "The configuration file \(path) is not usable\(line.map { ", line \($0)" } ?? ""): \(reason)."
    case .invalidValue(let key, let value, let source, let allowed):
      "\(key) cannot be \(value) (\(source)); allowed: \(allowed)."
    case .noDatabase:
      """
      No database is set. Set db_uri in /etc/wazo-call-logs/config.yml, in the environment variable \
      \(Settings.Key.dbURI.environmentName) or with \(Settings.Key.dbURI.optionName), for example \
      postgresql://asterisk@localhost/asterisk, or set libpq's variables (PGHOST, PGDATABASE, PGUSER, PGSERVICE).
      """
    }
  }
}
