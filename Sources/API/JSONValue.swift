import Foundation
import Values

/// A JSON value, as bodies of requests are read and details of errors written.
///
/// Call logs do not take this way: a tree of each would be built first.
public enum JSONValue: Equatable, Sendable {
  case null
  case flag(Bool)
  case integer(Int64)
  /// A number that is no integer, or one that 64 bits cannot hold.
  case number(Double)
  case string(String)
  case list([JSONValue])
  case object([Field])

  /// A key with its value.
  public struct Field: Equatable, Sendable {
    /// The key.
    public let key: String
    /// The value.
    public let value: JSONValue

    /// A field of these.
    public init(_ key: String, _ value: JSONValue) { (self.key, self.value) = (key, value) }
  }

  /// An object with these keys in this order.
  public static func fields(_ fields: KeyValuePairs<String, JSONValue>) -> JSONValue {
    .object(fields.map { Field($0.key, $0.value) })
  }

  /// A uuid as a string, `null` for nil.
  public static func uuid(_ uuid: UUIDValue?) -> JSONValue { uuid.map { .string($0.description) } ?? .null }

  /// The value of a key of an object; nil where there is none.
  public subscript(key: String) -> JSONValue? {
    guard case .object(let fields) = self else { return nil }
    return fields.first { $0.key == key }?.value
  }

  // MARK: Writing

  /// Appends it without spaces.
  public func append(to out: inout [UInt8]) {
    switch self {
    case .null: out += "null".utf8
    case .flag(let value): out += (value ? "true" : "false").utf8
    case .integer(let value): out += String(value).utf8
    // JSON has no infinity, and no value that is no number.
    case .number(let value): out += (value.isFinite ? "\(value)" : "null").utf8
    case .string(let value): JSONValue.append(value, to: &out)
    case .list(let values):
      out.append(UInt8(ascii: "["))
      for (number, value) in values.enumerated() {
        if number > 0 { out.append(UInt8(ascii: ",")) }
        value.append(to: &out)
      }
      out.append(UInt8(ascii: "]"))
    case .object(let fields):
      out.append(UInt8(ascii: "{"))
      for (number, field) in fields.enumerated() {
        if number > 0 { out.append(UInt8(ascii: ",")) }
        JSONValue.append(field.key, to: &out)
        out.append(UInt8(ascii: ":"))
        field.value.append(to: &out)
      }
      out.append(UInt8(ascii: "}"))
    }
  }

  private static func append(_ string: String, to out: inout [UInt8]) {
    var string = string
    var json = JSONWriter(out: out)
    string.withUTF8 { json.element(Text(UnsafeRawBufferPointer($0))) }
    out = json.out
  }

  /// It as bytes without spaces.
  public var bytes: [UInt8] {
    var out: [UInt8] = []
    append(to: &out)
    return out
  }

  // MARK: Reading

  /// Reads a text that is JSON from its first to its last byte; nil for any other.
  public init?(json: some Sequence<UInt8>) {
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(json)) else { return nil }
    self = value
  }
}

extension JSONValue: Decodable {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }

  /// Reads it from a decoder. The keys of an object come in no order.
  public init(from decoder: any Decoder) throws {
    // Numbers first: long lists are lists of ids.
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let integer = try? value.decode(Int64.self) {
      self = .integer(integer)
    } else if let string = try? value.decode(String.self) {
      self = .string(string)
    } else if let flag = try? value.decode(Bool.self) {
      self = .flag(flag)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if var list = try? decoder.unkeyedContainer() {
      var values: [JSONValue] = []
      while !list.isAtEnd { values.append(try list.decode(JSONValue.self)) }
      self = .list(values)
    } else {
      let object = try decoder.container(keyedBy: Key.self)
      let keys = object.allKeys.sorted { $0.stringValue < $1.stringValue }
      self = .object(try keys.map { Field($0.stringValue, try object.decode(JSONValue.self, forKey: $0)) })
    }
  }
}
