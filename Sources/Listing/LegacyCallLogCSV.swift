import Values

/// Call logs in the CSV format of Wazo's former administration guide: `Call
/// Date,Caller,Called,Period,user Field`.
public struct LegacyCallLogCSV: Sendable {
  private let offset: @Sendable (Int64) -> Int64
  /// Whether cells that a spreadsheet would take for formulas get a single quote in front.
  public let isSpreadsheetSafe: Bool
  /// Whether telephone numbers get none all the same.
  public let keepsTelephoneNumbers: Bool

  /// Creates a format with local times.
  /// - Parameter offset: gives the offset of local time from UTC in seconds, for a time in seconds
  ///   since 1970
  public init(
    isSpreadsheetSafe: Bool = false, keepsTelephoneNumbers: Bool = false, offset: @escaping @Sendable (Int64) -> Int64
  ) {
    (self.isSpreadsheetSafe, self.keepsTelephoneNumbers, self.offset) = (isSpreadsheetSafe, keepsTelephoneNumbers, offset)
  }

  /// Appends the header.
  public func appendHeader(to out: inout [UInt8]) {
    out.append(contentsOf: "Call Date,Caller,Called,Period,user Field\r\n".utf8)
  }

  /// Appends a call log.
  public func append(_ log: CallLogView, to out: inout [UInt8]) {
    var csv = CSVWriter(out: out, isSpreadsheetSafe: isSpreadsheetSafe, keepsTelephoneNumbers: keepsTelephoneNumbers)
    out = []
    csv.cell { TimestampText.appendWallClock(wallClock(log.start), isShort: true, to: &$0) }
    csv.cell {
      $0.append(contentsOf: log.sourceName.bytes)
      $0.append(contentsOf: " (".utf8)
      $0.append(contentsOf: log.sourceExtension.bytes)
      $0.append(UInt8(ascii: ")"))
    }
    csv.text(log.destinationExtension)
    csv.number(LegacyCallLogCSV.period(log))
    csv.text(log.userField)
    csv.endRow()
    out = csv.out
  }

  private func wallClock(_ time: Int64) -> Int64 {
    let seconds = time / 1_000_000 - (time % 1_000_000 < 0 ? 1 : 0)
    let (local, overflows) = time.addingReportingOverflow(offset(seconds + Timestamp.secondsFrom1970To2000) * 1_000_000)
    return overflows ? time : local
  }

  /// The time from the answer to the end in seconds, rounded to the nearest, halves to the even
  /// number; 0 where one of them is unknown.
  static func period(_ log: CallLogView) -> Int64 {
    guard let talk = log.talk else { return 0 }
    let (whole, rest) = talk.quotientAndRemainder(dividingBy: 1_000_000)
    return rest > 500_000 || rest == 500_000 && whole % 2 == 1 ? whole + 1 : whole
  }
}
