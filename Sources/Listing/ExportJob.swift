import Foundation
import PostgreSQL
import Store
import Values

/// `export`: writes stored call logs for people and their programs. It only reads the database, in
/// one state of the tables. It holds a few thousand call logs in memory.
public struct ExportJob {
  /// The options of an export.
  public struct Options: Sendable {
    /// The call logs to export, and their order.
    public var selection = CallLogSelection()
    /// The format.
    public var format: ExportFormat
    /// The file to write; nil for standard output. A name that ends in `.zst` or `.gz` turns
    /// compression on.
    public var path: String?
    /// Whether cells that a spreadsheet would take for formulas get a single quote in front.
    public var isSpreadsheetSafe = false
    /// The number of call logs to read at once.
    public var page = 2000

    /// Exports all call logs in that format to standard output.
    public init(format: ExportFormat) { self.format = format }
  }

  /// The progress of an export.
  public struct Progress: Sendable {
    /// Call logs written.
    public let done: Int
    /// Call logs to write.
    public let total: Int
    /// The time since the start, in seconds.
    public let seconds: Double
  }

  /// The result of an export.
  public struct Summary: Sendable {
    /// The number of call logs written.
    public var callLogs = 0
    /// The number of bytes written, after compression.
    public var bytes = 0
    /// Whether the reader of a pipe closed it before the end.
    public var isCutShort = false
  }

  private let connect: () throws -> Connection
  private let options: Options
  private let zone: LocalZone
  private let interruption: Interruption
  private let progress: ((Progress) -> Void)?

  /// Creates a job on the database of the call logs. It does not use the database of the CELs.
  /// - Parameters:
  ///   - connect: connects to that database; the job closes the connection
  ///   - zone: the local time zone
  ///   - progress: called after each page; with nil the job does not count the call logs first
  public init(
    connect: @escaping () throws -> Connection, _ options: Options, zone: LocalZone = .ofThisMachine, interruption: Interruption,
    progress: ((Progress) -> Void)? = nil
  ) {
    (self.connect, self.options, self.zone) = (connect, options, zone)
    (self.interruption, self.progress) = (interruption, progress)
  }

  /// Runs the export.
  /// - Returns: the result.
  /// - Throws: ``JobError``, `StoreError` or `PostgreSQLError`. Then no new file exists, and an
  ///   existing file is unchanged.
  public func run() throws -> Summary {
    var summary = Summary()
    do {
      let connection = try connect()
      defer { connection.close() }
      try check(connection)
      // Open the target before reading, so that a missing folder is reported at once.
      let target = try ExportTarget(options.path, stop: stop)
      var stream = try ExportStream(target, options.path.map { ExportCompression(fileName: $0) } ?? .none)
      do {
        try connection.transaction(.readOnly, purpose: "Exporting call logs") {
          try write(to: &stream, &summary, connection)
        }
        try stop()
        try stream.finish()
      } catch is ExportTarget.ReaderGone {
        summary.isCutShort = true
      }
      summary.bytes = target.bytesWritten
    } catch {
      if interruption.isRequested { throw interrupted }
      throw error
    }
    return summary
  }

  private func stop() throws {
    if interruption.isRequested { throw interrupted }
  }

  private var interrupted: JobError {
    JobError(.interrupted, "interrupted; \(options.path.map { "\($0) was not written" } ?? "the output is incomplete")")
  }

  private func check(_ connection: Connection) throws {
    try CallLogTables.check(on: connection)
    guard try CallLogTables.exist(on: connection) else {
      throw JobError(
        .configuration,
        "database \(connection.server.database) has no call logs yet: run `wazo-call-logs generate` first")
    }
    try CallLogTables.checkColumns(on: connection)
    let unknown = Set(options.selection.tenants).subtracting(
      options.selection.tenants.isEmpty ? [] : try CallLogTables.tenants(on: connection))
    if let first = unknown.min() {
      let known = try CallLogTables.tenants(on: connection).sorted()
      throw JobError(
        .usage,
        "database \(connection.server.database) has no tenant \(first); "
          + (known.isEmpty
            ? "it has no tenant at all"
            : "it has \(known.prefix(5).map(\.description).joined(separator: ", "))\(known.count > 5 ? ", …" : "")")
      )
    }
  }

  private func write(to stream: inout ExportStream, _ summary: inout Summary, _ connection: Connection) throws {
    let selection = options.selection
    let total = try progress == nil ? 0 : CallLogTables.count(selection, on: connection)
    let render = try renderer(&stream.pending, connection)
    let begun = Date()
    try CallLogTables.forEachPage(of: selection, size: options.page, on: connection) { page in
      try stop()
      for log in page {
        render(log, &stream.pending)
        try stream.passOn()
      }
      summary.callLogs += page.count
      progress?(Progress(done: summary.callLogs, total: total, seconds: Date().timeIntervalSince(begun)))
    }
  }

  /// Gives the function that writes a call log. It writes the header first, if the format has one.
  private func renderer(_ out: inout [UInt8], _ connection: Connection) throws -> (CallLogView, inout [UInt8]) -> Void {
    switch options.format {
    case .csv:
      let recordings = try CallLogTables.greatestNumberOfRecordings(options.selection, on: connection)
      let csv = CallLogCSV(recordings: recordings, isSpreadsheetSafe: options.isSpreadsheetSafe)
      csv.appendHeader(to: &out)
      return { csv.append($0, to: &$1) }
    case .legacyCSV:
      let csv = LegacyCallLogCSV(isSpreadsheetSafe: options.isSpreadsheetSafe, offset: zone.offset)
      csv.appendHeader(to: &out)
      return { csv.append($0, to: &$1) }
    case .jsonl:
      return { log, out in
        log.appendJSON(to: &out)
        out.append(UInt8(ascii: "\n"))
      }
    }
  }
}
