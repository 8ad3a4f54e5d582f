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

  /// The columns before those of the recordings.
  static let columns: [Text] = [
    "id", "tenant_uuid", "answered", "start", "answer", "end", "destination_extension", "destination_name",
    "destination_internal_extension", "destination_internal_context", "destination_user_uuid", "destination_line_id", "duration",
    "call_direction", "call_status", "requested_name", "requested_extension", "requested_context",
    "requested_internal_extension", "requested_internal_context", "requested_user_uuid", "source_extension", "source_name",
    "source_internal_name", "source_internal_extension", "source_internal_context", "source_user_uuid", "source_line_id", "tags",
  ]

  /// Appends the line of names.
  public func appendHeader(to out: inout [UInt8]) {
    var csv = CSVWriter(out: out)
    out = []
    for column in CallLogCSV.columns { csv.text(column) }
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
    csv.number(log.id)
    csv.uuid(log.tenant)
    csv.flag(log.isAnswered)
    csv.time(log.start)
    csv.time(log.answer)
    csv.time(log.end)
    csv.text(log.destinationExtension)
    csv.text(log.destinationName)
    csv.text(log.destinationInternalExtension)
    csv.text(log.destinationInternalContext)
    csv.uuid(log.destination?.user)
    csv.number(log.destination?.line)
    csv.number(log.duration)
    csv.text(log.direction)
    csv.cell { $0.append(contentsOf: log.status.rawValue.utf8) }
    csv.text(log.requestedName)
    csv.text(log.requestedExtension)
    csv.text(log.requestedContext)
    csv.text(log.requestedInternalExtension)
    csv.text(log.requestedInternalContext)
    csv.uuid(log.requestedUser)
    csv.text(log.sourceExtension)
    csv.text(log.sourceName)
    csv.text(log.sourceInternalName)
    csv.text(log.sourceInternalExtension)
    csv.text(log.sourceInternalContext)
    csv.uuid(log.source?.user)
    csv.number(log.source?.line)
    csv.cell { out in
      for (index, tag) in log.tags.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ";")) }
        out.append(contentsOf: tag.bytes)
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
