extension ServiceSettings {
  /// Finds all settings of the service. Maps of several sources are merged key by key. For any
  /// other value the first source that has it counts:
  ///
  /// 1. the command line
  /// 2. the environment: `WAZO_CALL_LOGS_` and the dotted path in upper case with `_` for each dot
  /// 3. `/etc/wazo-call-logs/conf.d/*.yml`, the last name first
  /// 4. `/etc/wazo-call-logs/config.yml`; `WAZO_CALL_LOGS_CONFIG` names another file in place of
  ///    3 and 4, as for the batch program
  /// 5. `/etc/wazo-call-logd/conf.d/*.yml`, the first name first, as Wazo's daemons do;
  ///    `extra_config_files` names another folder
  /// 6. `/etc/wazo-call-logd/config.yml`, or the file of `-c`
  /// 7. for the database: libpq's variables
  /// 8. the default
  ///
  /// null unsets a setting that may have no value. Any other setting leaves it to the next source.
  /// A `db_uri` of the program's own keeps Wazo's `cel_db_uri` out, as for the batch program.
  ///
  /// Where wazo-auth is asked and a name or a password is missing, the key files complete them. A
  /// key file that is missing or unreadable is a warning.
  ///
  /// - Parameters:
  ///   - overrides: the options of the command line by dotted path, for example
  ///     `["debug": "true", "rest_api.port": "9300"]`
  ///   - environment: the environment of the process; empty variables count as not set
  ///   - root: the folder that contains `etc` and `var`. Paths of files that the settings name, and
  ///     that this function reads, lie below it, too.
  ///   - configFile: the file of `-c`, which must exist
  ///   - needsDatabase: whether a missing database is an error
  /// - Throws: ``SettingsError``
  public static func load(
    overrides: [String: String] = [:], environment: [String: String], root: String = "/", configFile: String? = nil,
    needsDatabase: Bool = true
  ) async throws(SettingsError) -> ServiceSettings {
    let prefix = root.hasSuffix("/") ? String(root.dropLast()) : root
    var loader = ServiceLoader(root: prefix)
    try await loader.readWazo(configFile)
    try await loader.readOwn(environment)
    loader.readEnvironment(environment)
    loader.readOptions(overrides)
    try loader.take()
    try loader.completeDatabases(environment, required: needsDatabase)
    try await loader.completeKeys()
    try loader.check()
    return loader.finished()
  }
}
