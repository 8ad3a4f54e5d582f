import Configuration

/// Builds ``Settings`` from their sources.
struct Loader {
  private(set) var settings = Settings()
  private let lookup: Lookup

  init(lookup: Lookup) {
    self.lookup = lookup
    for key in Settings.Key.allCases { settings.sources[key.rawValue] = "default" }
  }

  /// Notes the unknown keys.
  mutating func warn(of overrides: [String], _ files: [FileProvider<SettingsFile>]) {
    for key in overrides where Settings.Key(rawValue: key) == nil {
      settings.unknownKeys.append(UnknownKey.warning(key, at: "command line"))
    }
    for file in files.reversed() {
      guard let file = file.snapshot() as? SettingsFile else { continue }
      for key in file.keys where Settings.Key(rawValue: key) == nil && !ServiceSettings.topLevelKeys.contains(key) {
        settings.unknownKeys.append(UnknownKey.warning(key, at: file.place(of: key)))
      }
    }
  }

  /// Reads all settings but the databases.
  mutating func take() throws(SettingsError) {
    let millisecond = Duration.milliseconds(1)
    try take(.celTable, \.celTable, Parse.table)
    try takeOptional(.celTimeZone, \.celTimeZone, Parse.timeZone)
    try takeOptional(.defaultTenant, \.defaultTenant, Parse.uuid)
    try take(.directory, \.directory, Parse.directory)
    try take(.chunkSize, \.chunkSize, Parse.integer(in: 1...10_000_000))
    try take(.linkCELs, \.linkCELs, Parse.switchOrAuto)
    try take(.history, \.history, Parse.integer(in: 0...Int.max))
    try take(.follow, \.follow, Parse.switchOrAuto)
    try take(.followHistory, \.followHistory, Parse.integer(in: 0...Int.max))
    try take(.workers, \.workers, Parse.integer(in: 1...64))
    try take(.closeAfter, \.closeAfter, Parse.orOff(Parse.duration(atLeast: .seconds(60), atMost: .seconds(3650 * 86_400))))
    try take(.finalAfter, \.finalAfter, Parse.duration(atLeast: .zero, atMost: .seconds(30 * 86_400)))
    try take(.lockTimeout, \.lockTimeout, Parse.duration(atLeast: millisecond))
    try take(.connectTimeout, \.connectTimeout, Parse.duration(atLeast: millisecond))
    try take(.retryFor, \.retryFor, Parse.duration(atLeast: .zero))
    try takeOptional(.checkpointDirectory, \.checkpointDirectory, { $0 })
    try takeOptional(.archiveDirectory, \.archiveDirectory, { $0 })
    try take(.archiveLevel, \.archiveLevel, Parse.integer(in: 1...19))
    try take(.partRows, \.partRows, Parse.integer(in: 1...1_000_000))
    try take(.purgeTables, \.purgeTables, Parse.tables)
    try takeOptional(.daysToKeep, \.daysToKeep, Parse.integer(in: 0...Int(Int32.max)))
    try takeOptional(.cdrDays, \.cdrDays, Parse.integer(in: 0...Int(Int32.max)))
    try takeOptional(.recordingDays, \.recordingDays, Parse.integer(in: 0...Int(Int32.max)))
    try take(.recordingsDirectory, \.recordingsDirectory, Parse.folderBelowRoot)
    try take(.keepRestored, \.keepRestored, Parse.duration(atLeast: .zero, atMost: .seconds(3650 * 86_400)))
    try takeOptional(.purgeConfig, \.purgeConfig, { $0 })
    try take(.logLevel, \.logLevel, LogLevel.init(rawValue:))
  }

  /// Reads the databases that are still missing, from the program's own sources or from `other`.
  mutating func takeDatabases(of other: Lookup? = nil) throws(SettingsError) {
    let lookup = other ?? lookup
    if settings.dbURI == nil { try takeOptional(.dbURI, \.dbURI, DatabaseURI.init, from: lookup) }
    if settings.celDBURI == nil { try takeOptional(.celDBURI, \.celDBURI, DatabaseURI.init, from: lookup) }
  }

  var hasDatabase: Bool { settings.dbURI != nil }

  /// The variables of libpq that name a database and are set.
  static func databaseVariables(in environment: [String: String]) -> [String] {
    ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE", "PGUSER", "PGPORT"].filter { environment[$0]?.isEmpty == false }
  }

  /// Leaves the databases that are still missing to libpq, if libpq's variables are set.
  mutating func completeDatabases(_ environment: [String: String], required: Bool) throws(SettingsError) {
    if settings.dbURI == nil {
      let names = Loader.databaseVariables(in: environment)
      if !names.isEmpty {
        settings.sources[Settings.Key.dbURI.rawValue] = "libpq, from \(names.joined(separator: ", "))"
      } else if required {
        throw .noDatabase
      }
    }
    if settings.celDBURI == nil {
      settings.celDBURI = settings.dbURI
      settings.sources[Settings.Key.celDBURI.rawValue] = "as db_uri"
    }
  }

  /// Uses `path` unless a folder was set.
  mutating func takeCheckpointDirectory(default path: String?) {
    settings.checkpointDirectory = settings.checkpointDirectory ?? path
  }

  private mutating func take<Value>(
    _ key: Settings.Key, _ place: WritableKeyPath<Settings, Value>, _ parse: (String) -> Value?, from other: Lookup? = nil
  ) throws(SettingsError) {
    guard let found = try (other ?? lookup).find(key) else { return }
    settings[keyPath: place] = try found.value(of: key, parse)
    settings.sources[key.rawValue] = found.source
  }

  /// It has another name than `take`: an overload on an Optional would take the nil of a refusal
  /// for a value.
  private mutating func takeOptional<Value>(
    _ key: Settings.Key, _ place: WritableKeyPath<Settings, Value?>, _ parse: (String) -> Value?, from other: Lookup? = nil
  ) throws(SettingsError) {
    try take(key, place, { text in parse(text).map(Optional.some) }, from: other)
  }
}
