import Foundation
import PostgreSQL
import Store
import Values

/// `export`: stored call logs in a form for people and their programs. Reads only, all of it from one state of the tables, and in the memory of a few thousand call logs.
public struct ExportJob {
  /// What is asked for.
  public struct Options: Sendable {
    /// Which call logs, and in which order.
    public var selection = CallLogSelection()
    /// What it looks like.
    public var format: ExportFormat
    /// The file that it goes to; nil for standard output. It is compressed where its name ends in `.zst` or `.gz`.
    public var path: String?
    /// Whether cells that a spreadsheet would take for a formula are disarmed.
    public var isSpreadsheetSafe = false
    /// Call logs that are read at once.
    public var page = 2000

    /// All call logs in that format on standard output.
    public init(format: ExportFormat) { self.format = format }
  }

  /// How far it is.
  public struct Progress: Sendable {
    /// Call logs written.
    public let done: Int
    /// Call logs to write.
    public let total: Int
    /// Seconds since the first.
    public let seconds: Double
  }

  /// What was written.
  public struct Summary: Sendable {
    /// Call logs.
    public var callLogs = 0
    /// Bytes, compressed if so.
    public var bytes = 0
    /// Whether the reader of a pipe went away before the end.
    public var isCutShort = false
  }

  private let connect: () throws -> Connection
  private let options: Options
  private let zone: LocalZone
  private let interruption: Interruption
  private let progress: ((Progress) -> Void)?

  /// A job on the database of the call logs; that of the CELs is not needed.
  /// - Parameters:
  ///   - connect: connects to that database; the job closes the connection
  ///   - zone: what local time is
  ///   - progress: called after each page; with nil nothing is counted beforehand
  public init(
    connect: @escaping () throws -> Connection, _ options: Options, zone: LocalZone = .ofThisMachine, interruption: Interruption,
    progress: ((Progress) -> Void)? = nil
  ) {
    (self.connect, self.options, self.zone) = (connect, options, zone)
    (self.interruption, self.progress) = (interruption, progress)
  }

  /// Writes it.
  /// - Throws: ``JobError``, `StoreError`, `PostgreSQLError`; then there is no file, or the one that was there before.
  public func run() throws -> Summary {
    var summary = Summary()
    do {
      let connection = try connect()
      defer { connection.close() }
      try check(connection)
      // Opened before much is read: a folder that is not there is told at once.
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
    JobError(.interrupted, "interrupted; \(options.path.map { "\($0) was not written" } ?? "what was written is not all")")
  }

  private func check(_ connection: Connection) throws {
    try CallLogTables.check(on: connection)
    guard try CallLogTables.exist(on: connection) else {
      throw JobError(
        .configuration,
        "there are no call logs in database \(connection.server.database) yet: run `wazo-call-logs generate` first")
    }
    try CallLogTables.checkColumns(on: connection)
    let unknown = Set(options.selection.tenants).subtracting(
      options.selection.tenants.isEmpty ? [] : try CallLogTables.tenants(on: connection))
    if let first = unknown.min() {
      let known = try CallLogTables.tenants(on: connection).sorted()
      throw JobError(
        .usage,
        "there is no tenant \(first) in database \(connection.server.database); "
          + (known.isEmpty
            ? "there is none at all"
            : "there \(known.count == 1 ? "is" : "are") \(known.prefix(5).map(\.description).joined(separator: ", "))\(known.count > 5 ? ", …" : "")")
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

  /// What writes a call log, after it has written the line of names if there is one.
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
