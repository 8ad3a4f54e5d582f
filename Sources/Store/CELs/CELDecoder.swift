import CallLogs
import PostgreSQL
import Values

/// Reads the messages of `COPY (SELECT …) TO STDOUT (FORMAT binary)` of a CEL table, rows in id order, into a batch.
package struct CELDecoder {
  /// What was read so far.
  package private(set) var read = ChunkRead()
  /// The id that comes next where none is missing.
  private(set) var next: Int64
  private let needsRepair: Bool
  private let timeIsText: Bool
  private var reader = BinaryRowReader()
  private let scratch = TextArena()

  /// - Parameters:
  ///   - next: the first id that there can be
  ///   - needsRepair: whether text may hold bytes that are not UTF-8
  ///   - timeIsText: whether the time comes as text
  package init(from next: Int64, needsRepair: Bool = false, timeIsText: Bool = false) {
    self.next = next
    self.needsRepair = needsRepair
    self.timeIsText = timeIsText
  }

  /// Reads the rows of a message.
  /// - Throws: `PostgreSQLError` where the data is not in PostgreSQL's binary form.
  package mutating func decode(_ message: UnsafeRawBufferPointer, into batch: inout CELBatch, tally: inout Tally) throws {
    reader.load(message)
    // On the stack: the texts are pointers into the message, and the batch copies what it keeps.
    try withUnsafeTemporaryAllocation(of: UnsafeRawBufferPointer.self, capacity: CELDecoder.fieldCount) { fields in
      while try reader.nextRow() {
        try reader.nextFields(fields)
        let id = try CELDecoder.integer(fields[0]) ?? 0
        let columns = CELColumns(
          id: id, time: CELDecoder.time(fields[1], isText: timeIsText),
          callLogID: try CELDecoder.integer(fields[2]).map { Int32(truncatingIfNeeded: $0) } ?? 0
        ) { needsRepair ? scratch.repaired(fields[$0 + 3], id, &tally) : Text(fields[$0 + 3]) }
        read.note(batch.append(columns, tally: &tally), columns)
        if id > next { read.missing.append(next..<id) }
        next = id == .max ? id : id + 1
        if needsRepair { scratch.removeAll() }
      }
    }
  }

  /// id, time and link come before the texts.
  private static let fieldCount = 3 + CELColumns.textCount

  /// A number of four or eight bytes, nil for NULL.
  @inline(__always)
  private static func integer(_ field: UnsafeRawBufferPointer) throws(PostgreSQLError) -> Int64? {
    switch field.count {
    case 8: return Int64(bigEndian: field.loadUnaligned(as: Int64.self))
    case 4: return Int64(Int32(bigEndian: field.loadUnaligned(as: Int32.self)))
    case 0 where field.baseAddress == nil: return nil
    default:
      throw PostgreSQLError(kind: .protocol, purpose: "Reading CELs", message: "a number of \(field.count) bytes")
    }
  }

  static func time(_ field: UnsafeRawBufferPointer, isText: Bool) -> Int64? {
    guard field.baseAddress != nil else { return nil }
    if isText {
      switch TimestampText.parse(Text(field)) {
      case .instant(let time)?, .wallClock(let time)?: return time
      case nil: return nil
      }
    }
    guard field.count == 8 else { return nil }
    let time = Int64(bigEndian: field.loadUnaligned(as: Int64.self))
    // infinity and -infinity.
    return time == .max || time == .min ? nil : time
  }
}

extension TextArena {
  /// The field's text as valid UTF-8, for the CEL with this id.
  func repaired(_ field: UnsafeRawBufferPointer, _ id: Int64, _ tally: inout Tally) -> Text {
    guard field.baseAddress != nil else { return .null }
    var invalid = false
    var nul = false
    let text = validText(field, invalid: &invalid, nul: &nul)
    if invalid { tally.note(.invalidUTF8, id) }
    return text
  }
}
