/// The header `Range`, as far as the service follows it: one range of bytes (RFC 9110, 14.1.2 and
/// 14.2).
enum ByteRange: Equatable {
  /// No range, or one that may be ignored: several, malformed ones, other units.
  case whole
  /// These bytes.
  case part(Range<Int64>)
  /// A range of which the file has nothing.
  case notThere

  init(_ header: String?, size: Int64) {
    self = header.flatMap { ByteRange.read($0, size: size) } ?? .whole
  }

  private static func read(_ header: String, size: Int64) -> ByteRange? {
    let parts = header.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].filter({ $0 != " " }).lowercased() == "bytes" else { return nil }
    let ends = parts[1].filter { $0 != " " && $0 != "\t" }.split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } }) else {
      return nil
    }
    // A number that 64 bits cannot hold lies beyond the end of any file.
    let first = ends[0].isEmpty ? nil : Int64(ends[0]) ?? .max
    let last = ends[1].isEmpty ? nil : Int64(ends[1]) ?? .max
    switch (first, last) {
    case (nil, nil): return nil
    case (nil, let length?): return length == 0 || size == 0 ? .notThere : .part(max(0, size - min(length, size))..<size)
    case (let first?, nil): return first < size ? .part(first..<size) : .notThere
    case (let first?, let last?):
      guard first <= last else { return nil }
      return first < size ? .part(first..<(min(last, size - 1) + 1)) : .notThere
    }
  }
}
