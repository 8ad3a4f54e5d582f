import Yams

/// A value of a configuration source with its place, and all that lies below it.
struct SettingsNode: Sendable {
  /// A key of a map with its value.
  struct Entry: Sendable {
    var key: String
    var node: SettingsNode
  }

  enum Content: Sendable {
    case null
    /// Only a text without quotes can be a number, true or false.
    case scalar(String, isPlain: Bool)
    case list([SettingsNode])
    case map([Entry])
  }

  var content: Content
  /// The place, for messages: a file with its line, an environment variable, an option or
  /// `default`.
  var source: String

  /// A map that holds one value, below the keys of a dotted path.
  init(_ content: Content, at path: String, source: String) {
    var content = content
    for key in path.split(separator: ".").reversed() {
      content = .map([Entry(key: String(key), node: SettingsNode(content: content, source: source))])
    }
    self.init(content: content, source: source)
  }

  init(content: Content, source: String) { (self.content, self.source) = (content, source) }

  var isNull: Bool { if case .null = content { true } else { false } }

  /// The entries of a map; empty for any other value.
  var entries: [Entry] { if case .map(let entries) = content { entries } else { [] } }

  /// The text of a scalar; nil for any other value.
  var text: String? { if case .scalar(let text, _) = content { text } else { nil } }

  /// The value below a key of a map.
  subscript(key: some StringProtocol) -> SettingsNode? { entries.first { $0.key == key }?.node }

  /// A map without a key.
  func removing(_ key: String) -> SettingsNode {
    SettingsNode(content: .map(entries.filter { $0.key != key }), source: source)
  }

  /// Puts a stronger source over this value: maps are merged, any other value replaces.
  ///
  /// null over a map changes nothing: it is a heading without keys.
  /// - Parameters:
  ///   - path: the dotted path of the value; empty for the whole
  ///   - canBeUnset: whether null over the value at a path unsets it. Otherwise null leaves it.
  mutating func take(_ stronger: SettingsNode, path: String = "", canBeUnset: (String) -> Bool) {
    switch (content, stronger.content) {
    case (.map(var entries), .map(let others)):
      for other in others {
        if let place = entries.firstIndex(where: { $0.key == other.key }) {
          let below = path.isEmpty ? other.key : "\(path).\(other.key)"
          entries[place].node.take(other.node, path: below, canBeUnset: canBeUnset)
        } else {
          entries.append(other)
        }
      }
      content = .map(entries)
    case (.map, .null): break
    case (_, .null) where !canBeUnset(path): break
    default: self = stronger
    }
  }
}

// MARK: YAML

extension SettingsNode {
  /// More values than any configuration has. A small file can have as many by its aliases.
  static let mostValues = 100_000

  /// The value of a YAML node.
  /// - Parameters:
  ///   - line: the line of the value's key, counted from 1
  ///   - count: how many values the file had so far
  /// - Throws: ``SettingsError/notYAML(path:line:reason:)`` for a file with too many values
  init(_ yaml: Node, path: String, line: Int? = nil, count: inout Int) throws(SettingsError) {
    count += 1
    guard count <= SettingsNode.mostValues else {
      throw .notYAML(path: path, line: line, reason: "it has more than \(SettingsNode.mostValues) values")
    }
    let line = line ?? yaml.mark?.line
    source = line.map { "\(path), line \($0)" } ?? path
    switch yaml {
    case .scalar(let scalar):
      content = yaml.isPlainNull ? .null : .scalar(scalar.string, isPlain: scalar.style == .plain || scalar.style == .any)
    case .sequence(let sequence):
      var list: [SettingsNode] = []
      for element in sequence { list.append(try SettingsNode(element, path: path, count: &count)) }
      content = .list(list)
    case .mapping(let mapping):
      var entries: [Entry] = []
      var inherited: [Entry] = []
      for (key, value) in mapping {
        guard let name = key.string else { continue }
        let node = try SettingsNode(value, path: path, line: key.mark?.line, count: &count)
        // YAML 1.1, as Wazo's daemons read it: << takes over the keys of other maps.
        if name == "<<" { inherited += node.entries } else { entries.append(Entry(key: name, node: node)) }
        if name == "<<", case .list(let maps) = node.content { inherited += maps.flatMap(\.entries) }
      }
      for entry in inherited where !entries.contains(where: { $0.key == entry.key }) { entries.append(entry) }
      content = .map(entries)
    // The parser replaces aliases by what they stand for.
    case .alias: content = .null
    }
  }
}

extension Node {
  /// Whether this is YAML's null, written or empty. With quotes it is a text.
  var isPlainNull: Bool {
    guard case .scalar(let scalar) = self, scalar.style == .plain || scalar.style == .any else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }
}

extension SettingsNode {
  /// A scalar as the value that YAML 1.1 sees in it.
  static func value(_ text: String, isPlain: Bool) -> SettingsValue {
    guard isPlain else { return .text(text) }
    if let flag = Parse.flag(text), text != "1", text != "0" { return .flag(flag) }
    let digits = text.first.map { "+-".contains($0) } == true ? text.dropFirst() : text[...]
    guard digits.first?.isASCII == true, digits.first?.isNumber == true else { return .text(text) }
    // A leading zero means an octal number to some readers. It stays a text.
    let isDecimal = digits.first != "0" || digits.count == 1 || digits.dropFirst().first == "."
    guard isDecimal, digits.allSatisfy({ $0.isASCII && ($0.isNumber || ".eE+-".contains($0)) }) else { return .text(text) }
    if let integer = Int(text) { return .integer(integer) }
    if digits.contains("."), let number = Double(text), number.isFinite { return .number(number) }
    return .text(text)
  }
}
