/// A value of the configuration as a tree, for programs that show the configuration.
public enum SettingsValue: Equatable, Sendable {
  /// Not set.
  case null
  /// `true` or `false`.
  case flag(Bool)
  /// A whole number.
  case integer(Int)
  /// A number with a fraction. It is finite.
  case number(Double)
  /// A text.
  case text(String)
  /// Values in their order.
  case list([SettingsValue])
  /// Keys with their values, in their order. A key stands once, but for keys that are masked.
  case map([Field])

  /// A key with its value.
  public struct Field: Equatable, Sendable {
    /// The key.
    public var key: String
    /// The value.
    public var value: SettingsValue

    /// A field of these.
    public init(_ key: String, _ value: SettingsValue) { (self.key, self.value) = (key, value) }
  }

  /// The value of a key of a map; nil for another value, or for a key that the map does not have.
  public subscript(key: String) -> SettingsValue? {
    guard case .map(let fields) = self else { return nil }
    return fields.first { $0.key == key }?.value
  }

  /// The map with another value for a key, for a setting that changes while the service runs. A key
  /// that the map does not have is added. Any other value than a map stays as it is.
  public func replacing(_ key: String, with value: SettingsValue) -> SettingsValue {
    guard case .map(var fields) = self else { return self }
    if let place = fields.firstIndex(where: { $0.key == key }) {
      fields[place].value = value
    } else {
      fields.append(Field(key, value))
    }
    return .map(fields)
  }
}
