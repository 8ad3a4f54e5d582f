import Values

/// Call logs in the CSV format of Wazo's API: a header, then one line per call log. There are
/// enough columns for the recordings of the call log that has most of them.
public struct CallLogCSV: Sendable {
  /// The number of recordings that have columns.
  public let recordings: Int
  /// Whether cells that a spreadsheet would take for formulas get a single quote in front.
  public let isSpreadsheetSafe: Bool
  /// Whether telephone numbers get none all the same.
  public let keepsTelephoneNumbers: Bool

  /// Creates a format with columns for that many recordings.
  public init(recordings: Int, isSpreadsheetSafe: Bool = false, keepsTelephoneNumbers: Bool = false) {
    (self.recordings, self.isSpreadsheetSafe) = (recordings, isSpreadsheetSafe)
    self.keepsTelephoneNumbers = keepsTelephoneNumbers
  }

  /// Appends the header.
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

  /// Appends a call log. Recordings beyond the number of columns are left out.
  public func append(_ log: CallLogView, to out: inout [UInt8]) {
    var csv = CSVWriter(out: out, isSpreadsheetSafe: isSpreadsheetSafe, keepsTelephoneNumbers: keepsTelephoneNumbers)
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
