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
    out += "],\"total\":\(total),\"filtered\":\(filtered)}".utf8
  }
}
