/// Reads PostgreSQL's CSV from pieces of any size.
///
/// A record ends at a line feed outside quotes. A quote inside quotes is doubled. An empty field
/// without quotes is NULL.
///
/// Source: PostgreSQL documentation, COPY, "CSV Format".
public struct CSVReader {
  /// A record that cannot be read.
  public struct Broken: Error, CustomStringConvertible {
    /// The line of the file on which the record begins. The header is line 1.
    public let line: Int
    /// The problem, for a message.
    public let reason: String
    /// The line and the reason.
    public var description: String { "line \(line): \(reason)" }

    /// An error in the record that begins on `line`.
    public init(line: Int, reason: String) {
      self.line = line
      self.reason = reason
    }
  }

  private var pending: [UInt8] = []
  private var line = 1
  private var fields: [Text] = []
  private let scratch = TextArena(blockSize: 16 * 1024)
  private var ended = false

  /// A reader at the beginning of a file.
  public init() {}

  /// Reads all records that end in `bytes`. Keeps an incomplete record for the next piece.
  /// - Parameter record: receives the fields and the line on which the record begins; the fields
  ///   are invalid after its return
  /// - Throws: ``Broken``, and every error of `record`
  public mutating func read(_ bytes: UnsafeRawBufferPointer, record: (_ fields: [Text], _ line: Int) throws -> Void) throws {
    if pending.isEmpty {
      let used = try records(bytes, record)
      pending.append(contentsOf: bytes[used...])
    } else {
      pending.append(contentsOf: bytes)
      let whole = pending
      let used = try whole.withUnsafeBytes { try records($0, record) }
      pending.removeSubrange(..<used)
    }
    guard pending.count <= CSVReader.longestRecord else {
      throw Broken(
        line: line,
        reason: "the record is longer than \(CSVReader.longestRecord >> 20) MB: the closing quote of a field is missing"
      )
    }
  }

  /// In bytes. No CEL is as long; a longer record has a field without its closing quote.
  static let longestRecord = 16 << 20

  /// Reads the last record, if the file does not end with a line feed.
  /// - Throws: ``Broken`` if the file ends inside quotes, and every error of `record`
  public mutating func finish(record: (_ fields: [Text], _ line: Int) throws -> Void) throws {
    guard !pending.isEmpty, !ended else { return }
    let started = line
    pending.append(UInt8(ascii: "\n"))
    let whole = pending
    let used = try whole.withUnsafeBytes { try records($0, record) }
    if used < whole.count { throw Broken(line: started, reason: "the file ends inside a quoted field") }
    pending.removeAll()
  }

  /// Reads all complete records. Returns the number of bytes read.
  private mutating func records(_ bytes: UnsafeRawBufferPointer, _ record: ([Text], Int) throws -> Void) throws -> Int {
    guard let base = bytes.bindMemory(to: UInt8.self).baseAddress else { return 0 }
    var start = 0
    while !ended, start < bytes.count, let (end, lines) = try split(base, start, bytes.count) {
      let isEndMarker = fields.count == 1 && fields[0] == "\\."
      if isEndMarker { ended = true } else { try record(fields, line) }
      line += lines
      start = end
      scratch.removeAll()
    }
    return ended ? bytes.count : start
  }

  /// Splits the record at `start` into `fields`; nil if the record is incomplete.
  private mutating func split(_ base: UnsafePointer<UInt8>, _ start: Int, _ limit: Int) throws -> (end: Int, lines: Int)? {
    fields.removeAll(keepingCapacity: true)
    var at = start
    var lines = 0
    while true {
      let fieldStart = at
      var quotes = 0
      var inside = false
      while true {
        guard at < limit else { return nil }
        let byte = base[at]
        if byte == UInt8(ascii: "\"") {
          inside.toggle()
          quotes += 1
        } else if byte == UInt8(ascii: "\n") {
          lines += 1
          if !inside { break }
        } else if byte == UInt8(ascii: ","), !inside {
          break
        }
        at += 1
      }
      let isLast = base[at] == UInt8(ascii: "\n")
      var fieldEnd = at
      if isLast, fieldEnd > fieldStart, base[fieldEnd - 1] == UInt8(ascii: "\r") { fieldEnd -= 1 }
      fields.append(field(base + fieldStart, fieldEnd - fieldStart, quotes))
      at += 1
      if isLast { return (at, lines) }
    }
  }

  private func field(_ start: UnsafePointer<UInt8>, _ count: Int, _ quotes: Int) -> Text {
    if quotes == 0 { return count == 0 ? .null : Text(start: start, count: count) }
    if quotes == 2, start[0] == UInt8(ascii: "\""), start[count - 1] == UInt8(ascii: "\"") {
      return Text(start: start + 1, count: count - 2)
    }
    // The field has doubled quotes, or quotes in its middle. PostgreSQL takes the latter for
    // switches of quoting.
    let out = scratch.reserve(count)
    var length = 0
    var inside = false
    var at = 0
    while at < count {
      if start[at] == UInt8(ascii: "\"") {
        if inside, at + 1 < count, start[at + 1] == UInt8(ascii: "\"") {
          out[length] = UInt8(ascii: "\"")
          length += 1
          at += 2
          continue
        }
        inside.toggle()
      } else {
        out[length] = start[at]
        length += 1
      }
      at += 1
    }
    return Text(start: out, count: length)
  }
}
