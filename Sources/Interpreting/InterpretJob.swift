import CallLogs
import Compression
import Files
import Foundation
import Values

/// `interpret`: CELs from a CSV file become call logs on standard output. No database.
public struct InterpretJob {
  /// How the call logs are written.
  public enum Format: String, CaseIterable, Sendable {
    /// One JSON array.
    case json
    /// One JSON object to a line.
    case jsonl
  }

  /// What was read and made.
  public struct Summary: Sendable {
    /// CELs read.
    public var cels = 0
    /// Conversations by what became of them.
    public var callLogs = 0
    /// Conversations that lack a LINKEDID_END.
    public var unfinished = 0
    /// Conversations that give no call.
    public var invalid = 0
    /// CELs of SIP chats.
    public var chats = 0
    /// Conversations that cannot be stored.
    public var refused = 0
    /// What was wrong with events and texts.
    public var tally = Tally()
    /// Whether there is any LINKEDID_END.
    public var hasEnds = false
    /// Seconds by which eventtime is ahead of the uniqueids.
    public var clockOffset: Int?
  }

  private let path: String
  private let format: Format
  private let directory: Directory
  private let defaultTenant: UUIDValue
  private let zone: WallClock?
  private let closeAfter: Double?

  /// A job that reads `path` (`-` is standard input; zstd is recognised).
  /// - Parameters:
  ///   - zone: the zone in which every wall clock is read, whatever offset is written beside it; nil: offsets count, and times without one are UTC
  ///   - closeAfter: seconds after its newest event at which a call without LINKEDID_END is closed by what it has; nil for never
  public init(
    path: String, format: Format, directory: Directory, defaultTenant: UUIDValue, zone: WallClock?, closeAfter: Double? = nil
  ) {
    self.path = path
    self.format = format
    self.directory = directory
    self.defaultTenant = defaultTenant
    self.zone = zone
    self.closeAfter = closeAfter
  }

  /// Reads everything, then writes everything: a conversation can go on until the last line.
  /// - Throws: ``JobError``: bad input (65) with the line, or a failure to read or write (74).
  public func run() throws -> Summary {
    var batch = CELBatch()
    var summary = Summary()
    try read(into: &batch, &summary)
    var grouping = Grouping()
    grouping.group(batch)
    try write(batch, grouping, &summary)
    summary.clockOffset = batch.clock.offset
    summary.hasEnds = batch.rows.contains { $0.type == .linkedidEnd }
    return summary
  }

  private func read(into batch: inout CELBatch, _ summary: inout Summary) throws {
    let source = try ByteSource(path: path)
    var reader = CSVReader()
    var record: CELRecord?
    let scratch = TextArena()
    var tally = Tally()
    var cels = 0
    var chats = 0
    func take(_ fields: [Text], _ line: Int) throws {
      if record == nil {
        record = try CELRecord(header: fields, ignoresOffsets: zone != nil, wallClock: (zone ?? .utc).instant)
        return
      }
      guard let columns = try record?.columns(fields, line: line, arena: scratch, tally: &tally) else { return }
      if batch.append(columns, tally: &tally) == .chat { chats += 1 }
      cels += 1
      scratch.removeAll()
    }
    do {
      var decompressor: Decompressor?
      var isFirst = true
      try source.forEachPiece { piece in
        if isFirst, Zstandard.isFrame(piece) { decompressor = try Decompressor() }
        isFirst = false
        if let decompressor {
          try decompressor.write(piece) { try reader.read($0, record: take) }
        } else {
          try reader.read(piece, record: take)
        }
      }
      try decompressor?.finish()
      try reader.finish(record: take)
    } catch let broken as CSVReader.Broken {
      throw JobError(.badInput, "\(source.name), \(broken)")
    } catch let error as ZstandardError {
      throw JobError(.badInput, "\(source.name): \(error)")
    }
    guard record != nil else {
      throw JobError(.badInput, "\(source.name) is empty: it must begin with a header that names the columns")
    }
    summary.cels = cels
    summary.chats = chats
    summary.tally.add(tally)
  }

  private func write(_ batch: CELBatch, _ grouping: Grouping, _ summary: inout Summary) throws {
    var interpreter = Interpreter(directory: directory, defaultTenant: defaultTenant)
    interpreter.endedBefore = closeAfter.flatMap { seconds in
      // Exact in a Double for as long as the clock shows a year of four digits; a time before all CELs closes nothing.
      Int64(exactly: ((Date().timeIntervalSince1970 - Double(Timestamp.secondsFrom1970To2000) - seconds) * 1_000_000).rounded())
    }
    var results = CallLogBatch()
    var output = StandardOutput()
    if format == .json { try output.append { $0.append(contentsOf: "[".utf8) } }
    for group in grouping.groups.indices {
      results.removeAll()
      switch interpreter.interpret(group: group, of: grouping, in: batch, into: &results) {
      case .callLog(let number):
        let separator = format == .jsonl ? "" : summary.callLogs == 0 ? "\n" : ",\n"
        try output.append { out in
          out.append(contentsOf: separator.utf8)
          results.appendJSON(ofCallLog: number, grouping: grouping, batch: batch, to: &out)
          if format == .jsonl { out.append(UInt8(ascii: "\n")) }
        }
        summary.callLogs += 1
      case .unfinished: summary.unfinished += 1
      case .invalid: summary.invalid += 1
      case .refused: summary.refused += 1
      }
    }
    if format == .json { try output.append { $0.append(contentsOf: "\n]\n".utf8) } }
    try output.flush()
    summary.tally.add(interpreter.takeTally())
  }
}
