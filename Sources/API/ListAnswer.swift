import Listing
import Values

/// Writes the answer to a request for a list of call logs, one call log after the other.
public struct ListAnswer: Sendable {
  /// What was written so far and not taken.
  public var out: [UInt8] = Array("{\"items\":[".utf8)
  private let hidesTags: Bool
  private var isFirst = true

  /// Begins it.
  /// - Parameter hidesTags: whether a user asks for the own calls, whose tags are not shown
  public init(hidesTags: Bool = false) { self.hidesTags = hidesTags }

  /// Writes a call log.
  public mutating func append(_ log: CallLogView) {
    if !isFirst { out.append(UInt8(ascii: ",")) }
    isFirst = false
    var log = log
    log.hidesTags = hidesTags
    log.appendJSON(to: &out)
  }

  /// Ends it.
  /// - Parameters:
  ///   - total: call logs without any filter
  ///   - filtered: call logs on all pages
  public mutating func finish(total: Int, filtered: Int) {
    finish(ListEnd(total: ListEnd.Number(total), filtered: ListEnd.Number(filtered)), tellsMore: false)
  }

  /// Ends it.
  /// - Parameter tellsMore: whether the client has asked for what Wazo's answers do not have:
  ///   whether the counts are bounded, and where the list goes on
  public mutating func finish(_ end: ListEnd, tellsMore: Bool) {
    func text(_ number: ListEnd.Number?) -> String { number.map { String($0.value) } ?? "null" }
    out += "],\"total\":\(text(end.total)),\"filtered\":\(text(end.filtered))".utf8
    if tellsMore {
      out += ",\"total_is_bounded\":\(end.total?.isBounded ?? false)".utf8
      out += ",\"filtered_is_bounded\":\(end.filtered?.isBounded ?? false)".utf8
      out += ",\"next\":\(end.next.map { "\"\($0.word)\"" } ?? "null")".utf8
    }
    out.append(UInt8(ascii: "}"))
  }
}

/// What stands behind the call logs of a list.
public struct ListEnd: Sendable {
  /// A number of call logs.
  public struct Number: Equatable, Sendable {
    /// How many there are, or how many were counted.
    public var value: Int
    /// Whether there are more than were counted.
    public var isBounded = false

    /// That number.
    public init(_ value: Int, isBounded: Bool = false) { (self.value, self.isBounded) = (value, isBounded) }
  }

  /// Call logs without any filter; nil where nobody counted them.
  public var total: Number?
  /// Call logs on all pages; nil where nobody counted them.
  public var filtered: Number?
  /// From where the list goes on; nil at its end.
  public var next: CallLogSelection.Place?

  /// The end of a list.
  public init(total: Number? = nil, filtered: Number? = nil, next: CallLogSelection.Place? = nil) {
    (self.total, self.filtered, self.next) = (total, filtered, next)
  }
}
