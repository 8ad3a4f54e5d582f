import Configuration

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension Settings {
  /// The environment variable that names the configuration file, as `--config` does.
  public static let configFileVariable = "WAZO_CALL_LOGS_CONFIG"

  /// Finds all settings. Each key on its own comes from the first that has it: the command line, the environment,
  /// `/etc/wazo-call-logs/conf.d/*.yml` (the last name first), `/etc/wazo-call-logs/config.yml`; the databases then, where
  /// none of these names `db_uri`, from Wazo's `/etc/wazo-call-logd`, in the same order; then libpq's variables; then the default.
  ///
  /// - Parameters:
  ///   - overrides: Texts of the command line by key, for example `["chunk_size": "5000"]`.
  ///   - environment: The environment of the process. Variables that are set but empty count as not set.
  ///   - root: The folder in which `etc` and `var` are looked for.
  ///   - configFile: The file of `--config`, in place of our own in `/etc`; `conf.d` beside it is read too. It goes
  ///     before the environment's `WAZO_CALL_LOGS_CONFIG`.
  ///   - needsDatabase: false for work without a database: Wazo's files are not read, and no database is no error.
  /// - Throws: ``SettingsError``, ``SettingsError/noDatabase`` among them.
  public static func load(
    overrides: [String: String] = [:], environment: [String: String], root: String = "/", configFile: String? = nil,
    needsDatabase: Bool = true
  ) async throws(SettingsError) -> Settings {
    let prefix = root.hasSuffix("/") ? String(root.dropLast()) : root
    let files: [FileProvider<SettingsFile>]
    if let configFile {
      files = try await SettingsFiles.hierarchy(configFile, namedBy: "option --config")
    } else if let named = environment[configFileVariable], !named.isEmpty {
      files = try await SettingsFiles.hierarchy(named, namedBy: "environment variable \(configFileVariable)")
    } else {
      files = try await SettingsFiles.hierarchy("\(prefix)/etc/wazo-call-logs/config.yml")
    }
    var loader = Loader(lookup: Lookup(overrides: overrides, environment: environment, files: files))
    loader.warn(of: overrides.keys.sorted(), files)
    try loader.take()
    try loader.takeDatabases()
    if needsDatabase, !loader.hasDatabase {
      // Read only when needed: who may not read Wazo's files can still set the database. A db_uri of ours also keeps Wazo's cel_db_uri out: a trial run
      // into another database must not read, and link, the CELs of the server that carries calls.
      let wazo = try await SettingsFiles.hierarchy("\(prefix)/etc/wazo-call-logd/config.yml")
      try loader.takeDatabases(of: Lookup(files: wazo))
    }
    try loader.completeDatabases(environment, required: needsDatabase)
    loader.takeCheckpointDirectory(
      default: defaultCheckpointDirectory(root: prefix, environment: environment, isRoot: geteuid() == 0))
    return loader.settings
  }

  /// The system's state folder for the administrator, and where it exists; else the user's own by the XDG rules (which
  /// ignore relative paths); nil when the user has no home either.
  static func defaultCheckpointDirectory(root: String, environment: [String: String], isRoot: Bool) -> String? {
    let system = "\(root)/var/lib/wazo-call-logs"
    if isRoot || SettingsFiles.isFolder(system) { return system }
    if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return "\(state)/wazo-call-logs" }
    if let home = environment["HOME"], home.hasPrefix("/") { return "\(home)/.local/state/wazo-call-logs" }
    return nil
  }
}
