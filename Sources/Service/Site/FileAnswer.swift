import API
import Files
import HTTPTypes
import Hummingbird
import NIOCore
import PostgreSQL

/// Answers with a file, whole or in part.
enum FileAnswer {
  private static let piece = 1 << 18

  /// Follows the conditions and the range of a request (RFC 9110, 13.2.2 and 14).
  /// - Parameters:
  ///   - name: of the download; letters, digits, hyphens, dots and underscores
  static func response(_ file: OpenedFile, type: String, name: String, _ visit: Visit) -> Response {
    let headers = visit.request.headers
    var fields: HTTPFields = [
      .eTag: file.tag, .lastModified: HTTPDate.text(Int(file.modified.seconds)), .cacheControl: "no-cache",
      .acceptRanges: "bytes",
    ]
    if isUnchanged(file, headers) { return Response(status: .notModified, headers: fields) }
    fields[.contentType] = type
    let isInline = headers[.range] != nil
    fields[.contentDisposition] = "\(isInline ? "inline" : "attachment"); filename=\(name)"
    switch isRangeWanted(file, headers) ? ByteRange(headers[.range], size: file.size) : .whole {
    case .whole: return Response(status: .ok, headers: fields, body: body(file, 0..<file.size, visit))
    case .part(let bytes):
      fields[.contentRange] = "bytes \(bytes.lowerBound)-\(bytes.upperBound - 1)/\(file.size)"
      return Response(status: .partialContent, headers: fields, body: body(file, bytes, visit))
    case .notThere:
      var response = Answers.error(.rangeNotSatisfiable)
      response.headers[.contentRange] = "bytes */\(file.size)"
      return response
    }
  }

  private static func isUnchanged(_ file: OpenedFile, _ headers: HTTPFields) -> Bool {
    if let known = headers[.ifNoneMatch] { return known == "*" || tags(known).contains(file.tag) }
    guard let since = headers[.ifModifiedSince].flatMap({ HTTPDate.seconds($0) }) else { return false }
    return file.modified.seconds <= Int64(since)
  }

  private static func isRangeWanted(_ file: OpenedFile, _ headers: HTTPFields) -> Bool {
    guard let known = headers[.ifRange] else { return true }
    // A weak tag does not do here.
    if known.hasPrefix("\"") { return known == file.tag }
    return HTTPDate.seconds(known).map { Int64($0) } == file.modified.seconds
  }

  /// The tags of a list, weak ones as strong ones.
  private static func tags(_ text: String) -> [String] {
    text.split(separator: ",").map { tag in
      let tag = tag.filter { $0 != " " }
      return tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag
    }
  }

  private static func body(_ file: OpenedFile, _ bytes: Range<Int64>, _ visit: Visit) -> ResponseBody {
    let note = visit.note
    note.becomesStream()
    return ResponseBody(contentLength: Int(clamping: bytes.count)) { writer in
      defer { note.ended() }
      var place = bytes.lowerBound
      while place < bytes.upperBound {
        let (start, count) = (place, Int(min(Int64(piece), bytes.upperBound - place)))
        let piece = try await BlockingThread.run("file") { try file.bytes(at: start, count) }
        // The length was promised, so that a file that has become shorter breaks the answer off.
        guard !piece.isEmpty else { throw FileError(.inputOutput, "a file became shorter while it was sent") }
        try await writer.write(ByteBuffer(bytes: piece))
        place += Int64(piece.count)
      }
      try await writer.finish(nil)
    }
  }
}

extension OpenedFile {
  /// What changes with the file (RFC 9110, 8.8.3).
  fileprivate var tag: String {
    func hex(_ number: some BinaryInteger) -> String { String(UInt64(truncatingIfNeeded: number), radix: 16) }
    return "\"\(hex(inode))-\(hex(size))-\(hex(modified.seconds))\(hex(modified.nanoseconds))\""
  }

  /// Bytes from a place on; none at the end of the file.
  fileprivate func bytes(at place: Int64, _ count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = try read(into: UnsafeMutableRawBufferPointer(buffer), at: place)
    }
  }
}
