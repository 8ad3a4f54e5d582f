/// Builds ``ServiceSettings`` from their sources.
struct ServiceLoader {
  private var settings = ServiceSettings()
  private let root: String
  private let entries = ServiceSettings.entries
  private let mustBeSet: Set<String>
  private let standard: SettingsNode
  /// The sources from the weakest to the strongest: Wazo's, then the program's own.
  private var wazo: [SettingsNode] = []
  private var own: [SettingsNode] = []
  private var keyFiles: [SettingsNode] = []
  private var tree: SettingsNode

  init(root: String) {
    self.root = root
    var standard = SettingsNode(content: .map([]), source: "default")
    for entry in entries {
      standard.take(SettingsNode(entry.standard, at: entry.path, source: "default")) { _ in true }
    }
    self.standard = standard
    tree = standard
    mustBeSet = Set(entries.filter { !$0.canBeUnset }.map(\.path))
  }

  // MARK: Sources

  mutating func readWazo(_ configFile: String?) async throws(SettingsError) {
    let file = configFile ?? "\(root)/etc/wazo-call-logd/config.yml"
    let main = try await SettingsFiles.tree(file, namedBy: configFile == nil ? nil : "option -c")
    var folder = "/etc/wazo-call-logd/conf.d"
    if let named = main?["extra_config_files"], !named.isNull {
      guard let text = named.text, !text.isEmpty else {
        throw .invalidValue(
          key: "extra_config_files", value: named.kind, source: named.source, allowed: "the path of a folder")
      }
      folder = text
    }
    wazo = main.map { [$0] } ?? []
    // The first name is the strongest.
    for path in try SettingsFiles.paths(in: below(folder)).reversed() {
      if let tree = try await SettingsFiles.tree(path) { wazo.append(tree) }
    }
  }

  mutating func readOwn(_ environment: [String: String]) async throws(SettingsError) {
    let variable = Settings.configFileVariable
    let named = environment[variable].flatMap { $0.isEmpty ? nil : $0 }
    let file = named ?? "\(root)/etc/wazo-call-logs/config.yml"
    let namedBy = named.map { _ in "environment variable \(variable)" }
    var trees: [SettingsNode] = []
    if let tree = try await SettingsFiles.tree(file, namedBy: namedBy) { trees.append(tree) }
    for path in try SettingsFiles.paths(in: SettingsFiles.folder(beside: file)) {
      if let tree = try await SettingsFiles.tree(path) { trees.append(tree) }
    }
    for tree in trees { warn(of: tree, known: standard, path: "") }
    own += trees
  }

  mutating func readEnvironment(_ environment: [String: String]) {
    for entry in entries {
      guard let text = environment[entry.environmentName], !text.isEmpty else { continue }
      own.append(
        SettingsNode(
          .scalar(text, isPlain: true), at: entry.path, source: "environment variable \(entry.environmentName)"))
    }
  }

  mutating func readOptions(_ overrides: [String: String]) {
    for (path, text) in overrides.sorted(by: { $0.key < $1.key }) {
      if !entries.contains(where: { $0.path == path }) {
        settings.warnings.append(UnknownKey.warning(path, at: "command line", known: entries.map(\.path)))
      }
      let source = "option \(ServiceEntry.optionName(path))"
      own.append(SettingsNode(.scalar(text, isPlain: true), at: path, source: source))
    }
  }

  private func below(_ path: String) -> String { path.hasPrefix("/") ? root + path : path }

  /// Notes the keys of one of the program's own files that neither the service nor the batch
  /// program knows. Keys of Wazo's daemon that the service does not need are fine.
  private mutating func warn(of node: SettingsNode, known: SettingsNode, path: String) {
    for entry in node.entries {
      let below = path.isEmpty ? entry.key : "\(path).\(entry.key)"
      if let known = known[entry.key] {
        warn(of: entry.node, known: known, path: below)
      } else if !path.isEmpty || !ServiceSettings.otherKeys.contains(entry.key) {
        settings.warnings.append(UnknownKey.warning(below, at: entry.node.source, known: entries.map(\.path)))
      }
    }
  }

  // MARK: Values

  /// Merges the sources and reads all settings.
  mutating func take() throws(SettingsError) {
    if own.contains(where: { $0["db_uri"].map { !$0.isNull } ?? false }) {
      // A trial run with another database must not read the CELs of the production server.
      wazo = wazo.map { $0.removing("cel_db_uri") }
    }
    for source in wazo + own {
      if let auth = source["auth"], !auth.isNull { settings.hasAuth = true }
      tree.take(source) { !mustBeSet.contains($0) }
    }
    for entry in entries {
      guard let node = try find(entry.path) else { continue }
      settings.sources[entry.path] = node.source
      // Only the databases have null without being unset: there is no default.
      if node.isNull, !entry.canBeUnset { continue }
      guard entry.take(&settings, node.content) else { throw refusal(of: entry, node) }
    }
  }

  /// - Throws: ``SettingsError/invalidValue(key:value:source:allowed:)`` where a map of keys should
  ///   be and another value is
  private func find(_ path: String) throws(SettingsError) -> SettingsNode? {
    var node = tree
    var at: [Substring] = []
    for key in path.split(separator: ".") {
      guard case .map = node.content else {
        throw .invalidValue(
          key: at.joined(separator: "."), value: node.kind, source: node.source, allowed: "keys with values, such as \(key)")
      }
      guard let below = node[key] else { return nil }
      at.append(key)
      node = below
    }
    return node
  }

  private func refusal(of entry: ServiceEntry, _ node: SettingsNode) -> SettingsError {
    var shown = node.kind
    if let text = node.text {
      let text = Parse.trim(text)
      let isDatabase = entry.path.hasSuffix("db_uri")
      shown = text.isEmpty ? "empty" : isDatabase ? DatabaseURI.redact(text) : entry.isSecret ? DatabaseURI.mask : "“\(text)”"
    }
    return .invalidValue(key: entry.path, value: shown, source: node.source, allowed: entry.allowed)
  }

  private mutating func set(_ path: String, _ content: SettingsNode.Content, source: String) {
    tree.take(SettingsNode(content, at: path, source: source)) { _ in true }
    settings.sources[path] = source
  }

  // MARK: What other sources complete

  /// Leaves a missing database to libpq, if libpq's variables are set.
  mutating func completeDatabases(_ environment: [String: String], required: Bool) throws(SettingsError) {
    if settings.dbURI == nil {
      let names = Loader.databaseVariables(in: environment)
      if !names.isEmpty {
        settings.sources["db_uri"] = "libpq, from \(names.joined(separator: ", "))"
      } else if required {
        throw .noServiceDatabase
      }
    }
    if settings.celDBURI == nil {
      settings.celDBURI = settings.dbURI
      set("cel_db_uri", tree["db_uri"]?.content ?? .null, source: "as db_uri")
    }
  }

  /// Reads the key files where a name or a password is missing.
  mutating func completeKeys() async throws(SettingsError) {
    guard case .wazo = settings.authentication else { return }
    if settings.auth.username == nil || settings.auth.password == nil, let file = settings.auth.keyFile,
      let key = try await keys(in: file)
    {
      (settings.auth.username, settings.auth.password) = (key.id, Secret(key.key))
      set("auth.username", .scalar(key.id, isPlain: false), source: key.source)
      set("auth.password", .scalar(key.key, isPlain: false), source: key.source)
    }
    if settings.exports.serviceID == nil || settings.exports.serviceKey == nil, let file = settings.exports.keyFile,
      let key = try await keys(in: file)
    {
      (settings.exports.serviceID, settings.exports.serviceKey) = (key.id, Secret(key.key))
      set("exports.service_id", .scalar(key.id, isPlain: false), source: key.source)
      set("exports.service_key", .scalar(key.key, isPlain: false), source: key.source)
    }
  }

  private mutating func keys(in file: String) async throws(SettingsError) -> (id: String, key: String, source: String)? {
    let path = below(file)
    do {
      let tree = try await SettingsFiles.tree(path, namedBy: "key_file")
      if let tree { keyFiles.append(tree) }
      if let id = tree?["service_id"]?.text, let key = tree?["service_key"], let text = key.text, !id.isEmpty, !text.isEmpty {
        return (id, text, key.source)
      }
      settings.warnings.append("The key file \(path) has no service_id and service_key.")
    } catch .missingFile {
      settings.warnings.append("The key file \(path) does not exist.")
    } catch .unreadableFile(_, let reason) {
      settings.warnings.append("The key file \(path) cannot be read: \(reason).")
    }
    return nil
  }

  // MARK: What belongs together

  func check() throws(SettingsError) {
    let api = settings.restAPI
    if (api.certificate == nil) != (api.privateKey == nil) {
      let (missing, present) = api.certificate == nil ? ("certificate", "private_key") : ("private_key", "certificate")
      throw .invalidValue(
        key: "rest_api.\(missing)", value: "empty", source: settings.sources["rest_api.\(present)"] ?? "default",
        allowed: "the absolute path of a file, or neither certificate nor private_key")
    }
    if settings.authentication == .off, !api.address.isLoopback {
      throw .invalidValue(
        key: "authentication", value: "“none”", source: settings.sources["authentication"] ?? "default",
        allowed: "none while rest_api.listen is 127.0.0.1 or ::1; auto, wazo or tokens for any address")
    }
  }

  // MARK: The end

  func finished() -> ServiceSettings {
    var settings = settings
    let redaction = SettingsRedaction(sources: wazo + own + [tree], keyFiles: keyFiles, entries: entries)
    settings.effective = redaction.value(of: tree)
    return settings
  }
}

extension ServiceSettings {
  /// Keys of the top level that the service does not read, and that are no mistakes: those of the
  /// batch program, and those of Wazo's daemon.
  static let otherKeys: Set<String> = Set(Settings.Key.allCases.map(\.rawValue)).union([
    "bus", "celery", "config_file", "confd", "consul", "enabled_celery_tasks", "enabled_plugins", "extra_config_files",
    "foreground", "logfile", "pid_file", "pidfile", "remote_credentials", "service_discovery",
  ])

  /// The keys of the top level that only the service reads. The batch program leaves them alone.
  static let topLevelKeys = Set(entries.map { String($0.path.prefix { $0 != "." }) })
}

extension SettingsNode {
  /// The value in a word, without its content.
  var kind: String {
    switch content {
    case .null: "empty"
    case .scalar: "a text"
    case .list: "a list"
    case .map: "a map"
    }
  }
}
