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

  /// Finds all settings. The program looks up each key on its own. The first source with a value
  /// counts:
  ///
  /// 1. the command line
  /// 2. the environment
  /// 3. `/etc/wazo-call-logs/conf.d/*.yml`, the last name first
  /// 4. `/etc/wazo-call-logs/config.yml`
  /// 5. for the databases, if none of these has `db_uri`: the files in Wazo's
  ///    `/etc/wazo-call-logd`, in the same order
  /// 6. for the databases: libpq's variables
  /// 7. the default
  ///
  /// - Parameters:
  ///   - overrides: the options of the command line by key, for example `["chunk_size": "5000"]`
  ///   - environment: the environment of the process; empty variables count as not set
  ///   - root: the folder that contains `etc` and `var`
  ///   - configFile: the file of `--config`, in place of the one in `/etc`; `conf.d` beside it is
  ///     read too. It overrides `WAZO_CALL_LOGS_CONFIG`.
  ///   - needsDatabase: false for work without a database. Wazo's files are not read then, and a
  ///     missing database is not an error.
  /// - Throws: ``SettingsError``, also ``SettingsError/noDatabase``
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
      // Wazo's files are read only when needed, so that a user without access to them can still set
      // the database. A db_uri of the program's own also keeps Wazo's cel_db_uri out: a trial run
      // into another database must not read and link the CELs of the production server.
      let wazo = try await SettingsFiles.hierarchy("\(prefix)/etc/wazo-call-logd/config.yml")
      try loader.takeDatabases(of: Lookup(files: wazo))
    }
    try loader.completeDatabases(environment, required: needsDatabase)
    loader.takeCheckpointDirectory(
      default: defaultCheckpointDirectory(root: prefix, environment: environment, isRoot: geteuid() == 0))
    return loader.settings
  }

  /// The default folder of checkpoint files:
  ///
  /// 1. the system's state folder, for root or if it exists
  /// 2. else the user's state folder by the XDG Base Directory rules, which ignore
  ///    relative paths
  /// 3. nil if the user has no home folder
  static func defaultCheckpointDirectory(root: String, environment: [String: String], isRoot: Bool) -> String? {
    let system = "\(root)/var/lib/wazo-call-logs"
    if isRoot || SettingsFiles.isFolder(system) { return system }
    if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return "\(state)/wazo-call-logs" }
    if let home = environment["HOME"], home.hasPrefix("/") { return "\(home)/.local/state/wazo-call-logs" }
    return nil
  }
}
