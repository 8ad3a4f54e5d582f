import Configuration
import Synchronization

/// The text of a setting, with its source.
struct Found: Sendable {
  var text: String
  var source: String
}

/// Finds the text of a setting and its source. Earlier providers override later ones.
struct Lookup: Sendable {
  private let reader: ConfigReader
  private let log = AccessLog()
  private let files: [String: SettingsFile]

  /// - Parameters:
  ///   - overrides: the options of the command line, by key
  ///   - environment: the environment; only the program's own variables are read, and empty ones
  ///     count as not set
  ///   - files: the configuration files; earlier ones override later ones
  init(overrides: [String: String] = [:], environment: [String: String] = [:], files: [FileProvider<SettingsFile>]) {
    let commandLine = InMemoryProvider(
      name: Self.commandLine,
      values: Dictionary(
        overrides.map { key, text in
          let isSecret = Settings.Key(rawValue: key)?.isSecret ?? true
          return (AbsoluteConfigKey([key]), ConfigValue(.string(text), isSecret: isSecret))
        }, uniquingKeysWith: { $1 }))
    let variables = EnvironmentVariablesProvider(
      environmentVariables: environment.filter { $0.key.hasPrefix(Settings.Key.environmentPrefix + "_") && !$0.value.isEmpty },
      secretsSpecifier: .specific(Set(Settings.Key.allCases.filter(\.isSecret).map(\.environmentName))))
    let prefix = ConfigKey([Settings.Key.environmentPrefix.lowercased()])
    reader = ConfigReader(
      providers: [commandLine, variables.prefixKeys(with: prefix)] + files.map { $0 as any ConfigProvider },
      accessReporter: log)
    let snapshots = files.compactMap { $0.snapshot() as? SettingsFile }
    self.files = Dictionary(snapshots.map { ($0.providerName, $0) }, uniquingKeysWith: { $1 })
  }

  private static let commandLine = "command line"

  /// The text of `key`; nil if no provider has it.
  ///
  /// - Throws: ``SettingsError/invalidValue(key:value:source:allowed:)`` for a list or a map in
  ///   place of a text.
  func find(_ key: Settings.Key) throws(SettingsError) -> Found? {
    let text = reader.string(forKey: ConfigKey([key.rawValue]), isSecret: key.isSecret)
    guard let last = log.last?.providerResults.last else { return nil }
    switch last.result {
    case .success:
      return text.map { Found(text: $0, source: source(of: key, provider: last.providerName)) }
    case .failure(let error as SettingsError):
      throw error
    case .failure:
      throw .invalidValue(
        key: key.rawValue, value: "read", source: source(of: key, provider: last.providerName), allowed: key.allowed)
    }
  }

  private func source(of key: Settings.Key, provider: String) -> String {
    if let file = files[provider] { return file.place(of: key.rawValue) }
    return provider.contains("[\(Self.commandLine)]") ? "option \(key.optionName)" : "environment variable \(key.environmentName)"
  }
}

/// Keeps the last access. swift-configuration reports in it the result of each provider.
private final class AccessLog: AccessReporter {
  private let event = Mutex<AccessEvent?>(nil)

  var last: AccessEvent? { event.withLock { $0 } }

  func report(_ event: AccessEvent) {
    self.event.withLock { $0 = event }
  }
}
