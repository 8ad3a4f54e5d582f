import CallLogs
import PostgreSQL
import Values

/// Decodes the messages of `COPY (SELECT …) TO STDOUT (FORMAT binary)` of a CEL table into a
/// batch. The rows come in the order of ids.
package struct CELDecoder {
  /// The counts of the rows so far, and the missing ids.
  package private(set) var read = ChunkRead()
  /// The id of the next row if no id is missing.
  private(set) var next: Int64
  private let needsRepair: Bool
  private let timeIsText: Bool
  private var reader = BinaryRowReader()
  private let scratch = TextArena()

  /// Creates a decoder.
  ///
  /// - Parameters:
  ///   - next: the first possible id
  ///   - needsRepair: whether text may contain invalid UTF-8
  ///   - timeIsText: whether the time comes as text
  package init(from next: Int64, needsRepair: Bool = false, timeIsText: Bool = false) {
    self.next = next
    self.needsRepair = needsRepair
    self.timeIsText = timeIsText
  }

  /// Decodes the rows of a message.
  /// - Throws: `PostgreSQLError` where the data is not in PostgreSQL's binary format (PostgreSQL,
  ///   COPY, "Binary Format").
  package mutating func decode(_ message: UnsafeRawBufferPointer, into batch: inout CELBatch, tally: inout Tally) throws {
    reader.load(message)
    // The buffer is on the stack. The texts point into the message, and the batch copies the ones
    // that it keeps.
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

  /// The id, the time and the link come before the texts.
  private static let fieldCount = 3 + CELColumns.textCount

  /// Decodes an integer of four or eight bytes; nil for NULL.
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
    // PostgreSQL's infinity and -infinity.
    return time == .max || time == .min ? nil : time
  }
}

extension TextArena {
  /// The field's text as valid UTF-8. A repair is counted for the CEL with this id.
  func repaired(_ field: UnsafeRawBufferPointer, _ id: Int64, _ tally: inout Tally) -> Text {
    guard field.baseAddress != nil else { return .null }
    var invalid = false
    var nul = false
    let text = validText(field, invalid: &invalid, nul: &nul)
    if invalid { tally.note(.invalidUTF8, id) }
    return text
  }
}
