import Values

/// Call logs as the API's CSV: a line of names, then a line for each, as many columns of recordings as the call log with most of them needs.
public struct CallLogCSV: Sendable {
  /// How many recordings have columns.
  public let recordings: Int
  /// Whether cells that a spreadsheet would take for a formula are disarmed.
  public let isSpreadsheetSafe: Bool

  /// The form with columns for that many recordings.
  public init(recordings: Int, isSpreadsheetSafe: Bool = false) {
    (self.recordings, self.isSpreadsheetSafe) = (recordings, isSpreadsheetSafe)
  }

  /// Appends the line of names.
  public func appendHeader(to out: inout [UInt8]) {
    var csv = CSVWriter(out: out)
    out = []
    for field in CallLogField.csv { csv.text(field.name.text) }
    for number in 0..<recordings {
      for column in ["uuid", "start_time", "end_time", "deleted", "filename"] {
        csv.cell { $0.append(contentsOf: "recording_\(number + 1)_\(column)".utf8) }
      }
    }
    csv.endRow()
    out = csv.out
  }

  /// Appends a call log; what it has more recordings than there are columns is left out.
  public func append(_ log: CallLogView, to out: inout [UInt8]) {
    var csv = CSVWriter(out: out, isSpreadsheetSafe: isSpreadsheetSafe)
    out = []
    for field in CallLogField.csv {
      switch field.value(log) {
      case .integer(let value): csv.number(value)
      case .uuid(let value): csv.uuid(value)
      case .flag(let value): csv.flag(value)
      case .time(let value): csv.time(value)
      case .text(let value): csv.text(value)
      case .status(let value): csv.cell { $0.append(contentsOf: value.rawValue.utf8) }
      case .tags(let tags):
        csv.cell { out in
          for (index, tag) in tags.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ";")) }
            out.append(contentsOf: tag.bytes)
          }
        }
      case .destinationDetails, .recordings: break
      }
    }
    for number in 0..<recordings {
      let recording = number < log.recordings.count ? log.recordings[number] : nil
      csv.uuid(recording?.uuid)
      csv.time(recording?.start)
      csv.time(recording?.end)
      csv.flag(recording?.isDeleted)
      csv.cell { out in if let recording { log.appendFileName(of: recording, to: &out) } }
    }
    csv.endRow()
    out = csv.out
  }
}
