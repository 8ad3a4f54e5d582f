import Values

/// Values in the path of a request. What is none has no route, and gives 404.
public enum PathValue {
  /// The id of a call log: digits, of a number that the database can hold.
  public static func id(_ text: some StringProtocol) -> Int32? {
    guard !text.isEmpty, text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
    return Int32(text)
  }

  /// The uuid of a user, a recording or an export, with its hyphens, in small letters or capitals.
  public static func uuid(_ text: some StringProtocol) -> UUIDValue? { UUIDValue(String(text)) }
}
