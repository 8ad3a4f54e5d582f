import Configuration
import Yams

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The retention times in the configuration of wazo-purge-db.
public struct PurgeDatabaseSettings: Equatable, Sendable {
  /// `days_to_keep`; nil if not set.
  public var daysToKeep: Int?
  /// `days_to_keep_per_plugin`, such as `["cel": 30]`.
  public var perPlugin: [String: Int] = [:]

  /// No retention times.
  public init() {}

  /// The usual path of the file on a Wazo server.
  public static let path = "/etc/wazo-purge-db/config.yml"

  /// Reads the file and `conf.d/*.yml` beside it. Later names override earlier ones and the file
  /// itself.
  /// - Parameters:
  ///   - path: the file
  ///   - isNamed: whether the user named the file, so that it must exist
  /// - Throws: ``SettingsError`` with the file and the key
  public static func load(_ path: String, isNamed: Bool) throws(SettingsError) -> PurgeDatabaseSettings {
    var settings = PurgeDatabaseSettings()
    guard let text = try read(path) else {
      if isNamed { throw .missingFile(path: path, namedBy: Settings.Key.purgeConfig.rawValue) }
      return settings
    }
    try settings.take(text, path)
    let folder = (path.lastIndex(of: "/").map { String(path[...$0]) } ?? "") + "conf.d"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names.filter({ $0.hasSuffix(".yml") && !$0.hasPrefix(".") }).sorted() {
      if let text = try read("\(folder)/\(name)") { try settings.take(text, "\(folder)/\(name)") }
    }
    return settings
  }

  private static func read(_ path: String) throws(SettingsError) -> String? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .unreadableFile(path: path, reason: "it cannot be opened")
    }
    guard let text = String(bytes: data, encoding: .utf8) else {
      throw .notYAML(path: path, line: nil, reason: "it is not UTF-8 text")
    }
    return text
  }

  private mutating func take(_ text: String, _ path: String) throws(SettingsError) {
    let root: Node?
    do {
      root = try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
    } catch {
      throw .notYAML(path: path, line: nil, reason: "the YAML parser failed")
    }
    guard let root, let mapping = root.mapping else { return }
    for (key, value) in mapping {
      switch key.string {
      case "days_to_keep"?:
        if let days = try PurgeDatabaseSettings.days(value, "days_to_keep", path) { daysToKeep = days }
      case "days_to_keep_per_plugin"?:
        guard let plugins = value.mapping else { continue }
        for (plugin, value) in plugins {
          guard let name = plugin.string else { continue }
          if let days = try PurgeDatabaseSettings.days(value, "days_to_keep_per_plugin.\(name)", path) { perPlugin[name] = days }
        }
      default: break
      }
    }
  }

  private static func days(_ node: Node, _ key: String, _ path: String) throws(SettingsError) -> Int? {
    guard let text = node.string else {
      throw .invalidValue(key: key, value: "a list or a map", source: path, allowed: "a whole number of days, 0 or more")
    }
    if ["", "~", "null", "Null", "NULL"].contains(text) { return nil }
    guard let days = Int(text), days >= 0 else {
      throw .invalidValue(key: key, value: "“\(text)”", source: path, allowed: "a whole number of days, 0 or more")
    }
    return days
  }
}
