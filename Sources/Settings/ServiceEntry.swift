/// One setting of the service: its key, its meaning, and how its value is read.
struct ServiceEntry {
  /// The dotted path, for example `rest_api.port`.
  let path: String
  let explanation: String
  /// The allowed values, as the end of a sentence.
  let allowed: String
  /// The default as a configuration file would have it.
  let standard: SettingsNode.Content
  let canBeUnset: Bool
  var isSecret = false
  /// Whether no value can hold a secret, whatever the key's name: numbers, times and switches.
  var isHarmless = false
  /// Takes the value; false if it is not allowed.
  let take: (inout ServiceSettings, SettingsNode.Content) -> Bool

  /// The environment variable, for example `WAZO_CALL_LOGS_REST_API_PORT`.
  var environmentName: String {
    "\(Settings.Key.environmentPrefix)_\(String(path.map { $0 == "." ? "_" : $0 }).uppercased())"
  }

  /// The command line option, for example `--rest-api-port`.
  static func optionName(_ path: String) -> String { "--" + String(path.map { ".".contains($0) || $0 == "_" ? "-" : $0 }) }

  /// The default in words.
  var defaultText: String {
    switch standard {
    case .null: "none"
    case .scalar(let text, _): text
    case .list(let list): list.compactMap(\.text).joined(separator: ", ")
    case .map: "none"
    }
  }

  private static func plain(_ text: String) -> SettingsNode.Content { .scalar(text, isPlain: true) }

  /// A setting that always has a value, written as one text.
  private static func scalar<Value>(
    _ path: String, _ place: WritableKeyPath<ServiceSettings, Value>, _ explanation: String, allowed: String,
    isHarmless: Bool = false, write: (Value) -> SettingsNode.Content, read: @escaping (String) -> Value?
  ) -> ServiceEntry {
    ServiceEntry(
      path: path, explanation: explanation, allowed: allowed, standard: write(ServiceSettings()[keyPath: place]),
      canBeUnset: false, isHarmless: isHarmless
    ) { settings, content in
      guard case .scalar(let text, _) = content, let value = read(Parse.trim(text)) else { return false }
      settings[keyPath: place] = value
      return true
    }
  }

  /// A setting that may have no value.
  private static func optional<Value>(
    _ path: String, _ place: WritableKeyPath<ServiceSettings, Value?>, _ explanation: String, allowed: String,
    isSecret: Bool = false, isHarmless: Bool = false, write: (Value) -> SettingsNode.Content,
    read: @escaping (String) -> Value?
  ) -> ServiceEntry {
    ServiceEntry(
      path: path, explanation: explanation, allowed: allowed,
      standard: ServiceSettings()[keyPath: place].map(write) ?? .null, canBeUnset: true, isSecret: isSecret,
      isHarmless: isHarmless
    ) { settings, content in
      switch content {
      case .null:
        settings[keyPath: place] = nil
        return true
      case .scalar(let text, _):
        guard let value = read(isSecret ? text : Parse.trim(text)) else { return false }
        settings[keyPath: place] = value
        return true
      default: return false
      }
    }
  }
}

// MARK: Kinds of settings

extension ServiceEntry {
  static func text(
    _ path: String, _ place: WritableKeyPath<ServiceSettings, String>, _ explanation: String,
    allowed: String = "a text of one line",
    _ check: @escaping (String) -> String? = Parse.line
  ) -> ServiceEntry {
    scalar(path, place, explanation, allowed: allowed, write: { .scalar($0, isPlain: false) }, read: check)
  }

  static func optionalText(
    _ path: String, _ place: WritableKeyPath<ServiceSettings, String?>, _ explanation: String,
    allowed: String = "a text of one line", _ check: @escaping (String) -> String? = Parse.line
  ) -> ServiceEntry {
    optional(path, place, explanation, allowed: allowed, write: { .scalar($0, isPlain: false) }, read: check)
  }

  static func path(_ path: String, _ place: WritableKeyPath<ServiceSettings, String?>, _ explanation: String) -> ServiceEntry {
    optionalText(path, place, explanation, allowed: "the absolute path of a file", Parse.absolutePath)
  }

  static func secret(_ path: String, _ place: WritableKeyPath<ServiceSettings, Secret?>, _ explanation: String) -> ServiceEntry {
    optional(
      path, place, explanation, allowed: "a text", isSecret: true, write: { _ in .null },
      read: { $0.isEmpty ? nil : Secret($0) })
  }

  static func database(
    _ path: String, _ place: WritableKeyPath<ServiceSettings, DatabaseURI?>, _ explanation: String
  ) -> ServiceEntry {
    var entry = optional(
      path, place, explanation, allowed: Settings.Key.dbURI.allowed, isSecret: true, write: { _ in .null },
      read: { DatabaseURI(Parse.trim($0)) })
    entry = ServiceEntry(
      path: path, explanation: explanation, allowed: entry.allowed, standard: .null, canBeUnset: false, isSecret: true,
      take: entry.take)
    return entry
  }

  static func integer(
    _ path: String, _ place: WritableKeyPath<ServiceSettings, Int>, _ range: ClosedRange<Int>, _ explanation: String
  ) -> ServiceEntry {
    scalar(
      path, place, explanation, allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)", isHarmless: true,
      write: { plain("\($0)") }, read: Parse.integer(in: range))
  }

  static func days(_ path: String, _ place: WritableKeyPath<ServiceSettings, Int?>, _ explanation: String) -> ServiceEntry {
    optional(
      path, place, explanation, allowed: "a whole number of days, 0 or more", isHarmless: true, write: { plain("\($0)") },
      read: Parse.integer(in: 0...Int(Int32.max)))
  }

  static func flag(_ path: String, _ place: WritableKeyPath<ServiceSettings, Bool>, _ explanation: String) -> ServiceEntry {
    scalar(
      path, place, explanation, allowed: "true or false", isHarmless: true, write: { plain("\($0)") }, read: Parse.flag)
  }

  /// A time from a millisecond to a day.
  static func time(_ path: String, _ place: WritableKeyPath<ServiceSettings, Duration>, _ explanation: String) -> ServiceEntry {
    scalar(
      path, place, explanation, allowed: "a time from 1ms to 24h, such as 5s, 500ms or 5 (seconds)", isHarmless: true,
      // All defaults are whole seconds.
      write: { plain($0 >= .seconds(3_600) ? "\($0.components.seconds / 3_600)h" : "\($0.components.seconds)s") },
      read: Parse.duration(atLeast: .milliseconds(1)))
  }

  static func bytes(
    _ path: String, _ place: WritableKeyPath<ServiceSettings, Int>, _ range: ClosedRange<Int>, _ explanation: String
  ) -> ServiceEntry {
    func write(_ count: Int) -> String { count % (1 << 20) == 0 ? "\(count >> 20)MiB" : "\(count >> 10)KiB" }
    return scalar(
      path, place, explanation,
      allowed: "a size from \(write(range.lowerBound)) to \(write(range.upperBound)), such as 16KiB, 1MiB or 4096 (bytes)",
      isHarmless: true, write: { plain(write($0)) }, read: Parse.bytes(in: range))
  }

  static func choice<Value>(
    _ path: String, _ place: WritableKeyPath<ServiceSettings, Value>, _ explanation: String, allowed: String,
    write: (Value) -> String, read: @escaping (String) -> Value?
  ) -> ServiceEntry {
    scalar(path, place, explanation, allowed: allowed, isHarmless: true, write: { plain(write($0)) }, read: read)
  }

  static func certificateCheck(
    _ path: String, _ place: WritableKeyPath<ServiceSettings, ServiceSettings.CertificateCheck>, _ explanation: String
  ) -> ServiceEntry {
    scalar(
      path, place, explanation, allowed: "true, false, or the absolute path of a PEM file", write: { _ in plain("true") },
      read: { text in
        if let flag = Parse.flag(text) { return flag ? .system : .off }
        return Parse.absolutePath(text).map { .file(path: $0) }
      })
  }

  /// A list of texts. An environment variable has them separated by commas.
  static func texts(
    _ path: String, _ place: WritableKeyPath<ServiceSettings, [String]>, _ explanation: String, allowed: String,
    _ check: @escaping (String) -> String?
  ) -> ServiceEntry {
    let standard = ServiceSettings()[keyPath: place].map { SettingsNode(content: .scalar($0, isPlain: false), source: "default") }
    return ServiceEntry(
      path: path, explanation: explanation, allowed: allowed, standard: .list(standard), canBeUnset: false
    ) { settings, content in
      let texts: [String?]
      switch content {
      case .scalar(let text, _): texts = text.split(separator: ",").map { String($0) }
      case .list(let list): texts = list.map(\.text)
      default: return false
      }
      let values = texts.compactMap { $0.flatMap { check(Parse.trim($0)) } }
      guard values.count == texts.count else { return false }
      settings[keyPath: place] = values
      return true
    }
  }
}

extension Parse {
  /// A text without line breaks and other control characters, and not empty.
  static func line(_ text: String) -> String? {
    text.isEmpty || text.unicodeScalars.contains { $0.properties.generalCategory == .control } ? nil : text
  }

  static func absolutePath(_ text: String) -> String? { text.hasPrefix("/") ? line(text) : nil }

  /// An IP address or a name.
  static func host(_ text: String) -> String? {
    line(text).flatMap { $0.contains { $0.isWhitespace || "/@".contains($0) } ? nil : $0 }
  }

  /// The name of a header, or `*`.
  static func headerName(_ text: String) -> String? {
    !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_*".contains($0)) } ? text : nil
  }

  static func mailAddress(_ text: String) -> String? {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), !text.contains(where: { $0.isWhitespace || "<>,;\"".contains($0) })
    else { return nil }
    return line(text)
  }

  /// The beginning of paths, with a slash at its beginning and none at its end.
  static func pathPrefix(_ text: String) -> String? {
    let parts = text.split(separator: "/")
    guard !parts.isEmpty,
      parts.allSatisfy({ $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.~".contains($0)) } })
    else { return nil }
    return parts.map { "/" + $0 }.joined()
  }

  /// The levels of Wazo's daemons in any case. `critical` counts as `error`.
  static func wazoLevel(_ text: String) -> LogLevel? {
    text.lowercased() == "critical" ? .error : LogLevel(rawValue: text.lowercased())
  }
}
