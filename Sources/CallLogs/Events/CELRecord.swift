import Values

/// Turns the records of a CEL CSV into columns, by the names in its header.
public struct CELRecord {
  private enum Column {
    case id, time, callLogID, other
    case text(CELColumns.Name)
  }

  private let columns: [Column]
  private let wallClock: (Int64) -> Int64?
  private let ignoresOffsets: Bool
  private var count: Int64 = 0

  /// Columns that a file must have.
  public static let required = ["eventtype", "eventtime", "channame", "uniqueid", "linkedid"]

  /// Reads the header.
  /// - Parameters:
  ///   - header: the names; unknown ones are allowed and their columns left out
  ///   - wallClock: gives the instant of a time without an offset; both in microseconds since 2000-01-01, the first as if in UTC
  ///   - ignoresOffsets: whether offsets in the file are passed over and the wall clock counts: they are those of the session that wrote the file, not Asterisk's
  /// - Throws: ``CSVReader/Broken`` where a required column is missing or one comes twice.
  public init(header: [Text], ignoresOffsets: Bool = false, wallClock: @escaping (Int64) -> Int64?) throws {
    var names: [String] = []
    // A byte order mark, as some spreadsheets write, is not part of the first name.
    for name in header { names.append(String(name.string.drop { $0 == "\u{FEFF}" })) }
    let missing = CELRecord.required.filter { !names.contains($0) }
    guard missing.isEmpty else {
      throw CSVReader.Broken(
        line: 1, reason: "the header lacks \(missing.joined(separator: ", ")); it must name the columns of the CEL table")
    }
    columns = try names.enumerated().map { index, name in
      if let first = names.firstIndex(of: name), first < index {
        throw CSVReader.Broken(line: 1, reason: "the column \(name) comes twice")
      }
      switch name {
      case "id": return .id
      case "eventtime": return .time
      case "call_log_id": return .callLogID
      default: return CELColumns.Name(rawValue: name).map { .text($0) } ?? .other
      }
    }
    self.ignoresOffsets = ignoresOffsets
    self.wallClock = wallClock
  }

  /// The columns of one record. Without a column `id` rows are numbered from 1. Text is made valid UTF-8 in `arena`.
  /// - Throws: ``CSVReader/Broken`` where the record has another number of fields than the header, or an id that is not a number.
  public mutating func columns(_ fields: [Text], line: Int, arena: TextArena, tally: inout Tally) throws -> CELColumns {
    guard fields.count == columns.count else {
      throw CSVReader.Broken(line: line, reason: "\(fields.count) fields where the header has \(columns.count)")
    }
    var result = CELColumns()
    count += 1
    result.id = count
    var invalid = false
    var nul = false
    for (column, field) in zip(columns, fields) {
      switch column {
      case .text(let name):
        result[name] =
          field.isEmpty
          ? (field.isNull && name == .extra ? .null : .empty)
          : field.isPlain ? field : arena.validText(UnsafeRawBufferPointer(field.bytes), invalid: &invalid, nul: &nul)
      case .id:
        guard let id = field.decimal, let value = Int64(exactly: id) else {
          throw CSVReader.Broken(line: line, reason: "the id \"\(field)\" is not a number")
        }
        result.id = value
      case .time:
        switch TimestampText.parse(ignoresOffsets ? TimestampText.withoutOffset(field) : field) {
        case .instant(let time)?: result.time = time
        case .wallClock(let wall)?: result.time = wallClock(wall)
        case nil: result.time = nil
        }
      case .callLogID: result.callLogID = field.decimal.flatMap { Int32(exactly: $0) } ?? 0
      case .other: break
      }
    }
    if invalid { tally.note(.invalidUTF8, result.id) }
    if nul { tally.note(.nulCharacter, result.id) }
    return result
  }
}

extension Text {
  /// Whether every byte is ASCII other than NUL, so that there is nothing to check.
  var isPlain: Bool {
    for byte in bytes where byte >= 0x80 || byte == 0 { return false }
    return true
  }
}
