import Configuration
import Yams

/// One YAML file for swift-configuration's `FileProvider`: the scalars of its top level, with their
/// lines.
///
/// It replaces `YAMLSnapshot`. That type refuses empty files and lists of maps, both usual in
/// Wazo's files. It reads null as text. It lists no keys and no lines.
///
/// Lookups ignore lists and nested maps, unless the key is a setting. ``tree`` has them.
struct SettingsFile: FileConfigSnapshot {
  /// Passes the file's path to the snapshot; `FileProvider` does not.
  struct ParsingOptions: FileParsingOptions {
    var path = ""
    static var `default`: Self { Self() }
  }

  private enum Content {
    case text(String)
    case list
    case map
  }

  /// The path of the file. It identifies the provider in lookups.
  let providerName: String
  /// The keys of the top level, in the order of the file.
  let keys: [String]
  /// The whole file: a map, or null for an empty file.
  let tree: SettingsNode
  private var items: [String: Content] = [:]
  /// Not part of `items`: unknown keys and null values have lines too.
  private var lines: [String: Int] = [:]

  init(data: RawSpan, providerName: String, parsingOptions: ParsingOptions) throws {
    let path = parsingOptions.path
    self.providerName = path
    guard var text = data.withUnsafeBytes({ String(validating: $0, as: UTF8.self) }) else {
      throw SettingsError.notYAML(path: path, line: nil, reason: "it is not UTF-8 text")
    }
    if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
    let root: Node?
    do {
      // The basic resolver keeps every scalar as text. The default resolver compiles regular
      // expressions first.
      root = try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
    } catch let error as YamlError {
      throw SettingsError(error, path: path)
    }
    guard let root, !root.isPlainNull else {
      keys = []
      tree = SettingsNode(content: .null, source: path)
      return
    }
    guard let mapping = root.mapping else {
      throw SettingsError.notYAML(path: path, line: root.mark?.line, reason: "it needs lines of the form “key: value”")
    }
    var count = 0
    tree = try SettingsNode(root, path: path, count: &count)
    var keys: [String] = []
    for (key, value) in mapping {
      guard let name = key.string else { continue }
      keys.append(name)
      lines[name] = key.mark?.line
      // null counts as not set, so that the next source is read.
      guard !value.isPlainNull else { continue }
      switch value {
      case .scalar(let scalar): items[name] = .text(scalar.string)
      case .sequence: items[name] = .list
      default: items[name] = .map
      }
    }
    self.keys = keys
  }

  /// The file, with the line of `key` if known.
  func place(of key: String) -> String {
    lines[key].map { "\(providerName), line \($0)" } ?? providerName
  }

  func value(forKey key: AbsoluteConfigKey, type: ConfigType) throws -> LookupResult {
    let name = key.components.joined(separator: ".")
    guard let content = items[name] else { return LookupResult(encodedKey: name, value: nil) }
    let known = Settings.Key(rawValue: name)
    switch content {
    case .text(let text):
      return LookupResult(encodedKey: name, value: ConfigValue(.string(text), isSecret: known?.isSecret ?? true))
    case .list, .map:
      let found = if case .list = content { "a list" } else { "a map" }
      throw SettingsError.invalidValue(key: name, value: found, source: place(of: name), allowed: known?.allowed ?? "text")
    }
  }

  /// Shows the number of keys, and no value.
  var description: String { "\(providerName)[\(keys.count) keys]" }
  var debugDescription: String { description }
}

extension SettingsError {
  /// Only the parser's problem and line. Its own descriptions quote the whole line, which may
  /// contain a password.
  fileprivate init(_ error: YamlError, path: String) {
    var line: Int?
    let reason: String
    switch error {
    case .reader(let problem, let offset, _, let yaml):
      line = offset.map { yaml.prefix($0).count(where: \.isNewline) + 1 }
      reason = problem
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      line = mark.line
      reason = [context?.text, problem].compactMap(\.self).joined(separator: ", ")
    case .duplicatedKeysInMapping(let duplicates, let context):
      line = context.mark.line
      reason = "it has the key \(duplicates.joined(separator: ", ")) more than once"
    default:
      reason = "the YAML parser failed"
    }
    self = .notYAML(path: path, line: line, reason: reason)
  }
}
