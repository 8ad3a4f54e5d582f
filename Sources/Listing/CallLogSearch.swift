import PostgreSQL
import Values

/// What somebody types to find call logs.
public enum CallLogSearch: Equatable, Sendable {
  /// A text that names or numbers of caller or callee contain, in upper or lower case. `%` and `_`
  /// stand for any text and any character, and `\` takes that meaning from the character behind it.
  case text(String)
  /// The call log of a recording's file name.
  case callLog(Int32)

  /// Why a text cannot be searched for.
  public enum Mistake: Error, Equatable, Sendable {
    /// A file name with an id that no call log can have.
    case idTooGreat
  }

  /// What a text asks for; nil for an empty one, which asks for nothing.
  ///
  /// A text that looks like the file name of a recording asks for its call log, whichever recording
  /// it is: any text, a hyphen, the id, a hyphen, 36 characters of a uuid, and anything behind
  /// that.
  public init?(_ text: String) throws(Mistake) {
    guard !text.isEmpty else { return nil }
    guard let digits = CallLogSearch.idDigits(in: Array(text.utf8)) else {
      self = .text(text)
      return
    }
    guard let id = Int32(String(decoding: digits, as: UTF8.self)) else { throw .idTooGreat }
    self = .callLog(id)
  }

  /// The id in a file name, as it stands there; nil in any other text. The last id counts where
  /// several fit.
  private static func idDigits(in text: [UInt8]) -> ArraySlice<UInt8>? {
    let hyphen = UInt8(ascii: "-")
    guard !text.contains(UInt8(ascii: "\n")) else { return nil }
    for start in text.indices.reversed() where start > 0 && text[start] == hyphen {
      let digits = text[(start + 1)...].prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
      guard !digits.isEmpty, digits.endIndex < text.count, text[digits.endIndex] == hyphen else { continue }
      let uuid = text[(digits.endIndex + 1)...].prefix(36)
      let isUUID = uuid.allSatisfy { byte in
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || byte == hyphen
      }
      if uuid.count == 36, isUUID { return digits }
    }
    return nil
  }

  /// The condition on `call_logd_call_log l`.
  func term(_ bind: (Parameter) -> String) -> String {
    switch self {
    case .callLog(let id): return "l.id = \(bind(.int4(id)))"
    case .text(let text):
      let pattern = bind(.text("%" + text + "%"))
      let columns = ["source_name", "source_exten", "destination_name", "destination_exten"]
      return "(" + columns.map { "l.\($0) ILIKE \(pattern)" }.joined(separator: " OR ") + ")"
    }
  }
}
