import CallLogs
import Logging
import PostgreSQL
import Runs
import Store
import Values

/// `explain`: the CELs of one conversation in order, their grouping and reading, and why there is a
/// call log or none. Changes nothing.
public struct ExplainJob {
  private let context: RunContext

  /// Makes a job on these databases.
  public init(_ context: RunContext) {
    self.context = context
  }

  /// Explains the conversation of a linkedid, or of the call log with that id.
  /// - Throws: ``JobError`` (65) if there is no such conversation
  public func run(_ what: String) throws -> Explanation {
    var linkedids = [what]
    if let id = Int32(what), let conversation = try CallLogTables.conversation(ofCallLog: id, on: context.databases.logs) {
      linkedids = conversation.isEmpty ? try context.table.linkedids(ofCallLog: id, on: context.databases.cels) : [conversation]
    }
    var batch = CELBatch()
    var tally = Tally()
    let names = TextArena()
    try context.table.readConversations(linkedids.map { names.text($0) }, into: &batch, tally: &tally, on: context.databases.cels)
    guard batch.count > 0 else {
      throw JobError(
        .badInput, "\(context.table.name) has no CEL with linkedid \(what), and no call log with the id \(what) has CELs there"
      )
    }
    var grouping = Grouping()
    grouping.group(batch)
    var interpreter = Interpreter(directory: context.directory, defaultTenant: context.defaultTenant)
    if let seconds = context.settings.closeAfter {
      interpreter.endedBefore = try CallLogTables.time(secondsAgo: seconds, on: context.databases.logs)
    }
    var results = CallLogBatch()
    var explanation = Explanation()
    for group in grouping.groups.indices {
      let outcome = interpreter.interpret(group: group, of: grouping, in: batch, into: &results)
      let readings = interpreter.readings()
      tally.add(interpreter.takeTally())
      let rows = grouping.order[grouping.groups[group].rows].map { batch.rows[Int($0)] }
      explanation.isOriginate = readings.isOriginate
      explanation.linkedids += grouping.linkedids[grouping.groups[group].linkedids].map { batch.linkedid($0).string }
      explanation.missingEnds += grouping.linkedids[grouping.groups[group].linkedids].filter { linkedid in
        !rows.contains { $0.linkedid == linkedid && $0.type == .linkedidEnd }
      }.map { batch.linkedid($0).string }
      for (row, reading) in zip(rows, readings.byEvent) { explanation.readings[row.id] = reading }
      explanation.order += rows.map(\.id)
      explanation.outcome = outcome
      if case .callLog(let number) = outcome {
        var json: [UInt8] = []
        results.appendJSON(ofCallLog: number, grouping: grouping, batch: batch, to: &json)
        explanation.callLog = String(decoding: json, as: UTF8.self)
      }
    }
    explanation.shared = shared(batch)
    explanation.tally = tally
    try readTable(&explanation)
    return explanation
  }

  /// The channels that join several linkedids.
  private func shared(_ batch: CELBatch) -> [(uniqueid: String, linkedids: [String])] {
    var linkedids: [Int32: [Int32]] = [:]
    for row in batch.rows where row.uniqueid >= 0 && !(linkedids[row.uniqueid] ?? []).contains(row.linkedid) {
      linkedids[row.uniqueid, default: []].append(row.linkedid)
    }
    return linkedids.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }.map { channel in
      (batch.uniqueid(channel.key).string, channel.value.map { batch.linkedid($0).string })
    }
  }

  private func readTable(_ explanation: inout Explanation) throws {
    let coverage = context.checkpoint.coverage
    for row in try context.table.rowsForPeople(linkedids: explanation.linkedids, on: context.databases.cels) {
      let id = row.int64(0) ?? 0
      explanation.rows[id] = Explanation.Row(
        id: id, time: row.string(1) ?? "", event: row.string(2) ?? "", channel: row.string(3) ?? "",
        callerID: "\(row.string(4) ?? "") <\(row.string(5) ?? "")>", place: "\(row.string(6) ?? "")@\(row.string(7) ?? "")",
        uniqueid: row.string(8) ?? "", linkedid: row.string(9) ?? "", extra: row.string(10) ?? "",
        isCovered: coverage.contains(id))
    }
    let stored = try CallLogTables.stored(
      conversations: BinaryArray(strings: explanation.linkedids), ids: [], on: context.databases.logs)
    explanation.stored = stored.map(\.id).sorted()
  }
}

/// The facts on a conversation.
public struct Explanation {
  /// A CEL as it is in the table.
  public struct Row: Sendable {
    /// The id.
    public let id: Int64
    /// `eventtime` as the server writes it, for the instant that a run reads.
    public let time: String
    /// `eventtype`.
    public let event: String
    /// `channame`.
    public let channel: String
    /// Name and number.
    public let callerID: String
    /// Extension and context.
    public let place: String
    /// `uniqueid`.
    public let uniqueid: String
    /// `linkedid`.
    public let linkedid: String
    /// `extra`.
    public let extra: String
    /// Whether the id is covered.
    public let isCovered: Bool
  }

  /// The linkedids of the conversation.
  public var linkedids: [String] = []
  /// Those of them without a LINKEDID_END.
  public var missingEnds: [String] = []
  /// Channels that join several linkedids.
  public var shared: [(uniqueid: String, linkedids: [String])] = []
  /// The rows by id.
  public var rows: [Int64: Row] = [:]
  /// The ids in the order of interpretation.
  public var order: [Int64] = []
  /// The reading of each event, by id.
  public var readings: [Int64: Interpreter.Reading] = [:]
  /// Whether the call began through a pair of Local channels (Interpretation, R52 to R58).
  public var isOriginate = false
  /// The result of the interpretation.
  public var outcome: Outcome = .invalid(.noDate)
  /// The call log as JSON; nil if there is none.
  public var callLog: String?
  /// The ids of the stored call logs of the conversation.
  public var stored: [Int32] = []
  /// The flaws of the events.
  public var tally = Tally()

  init() {}

  /// Why there is a call log or none, in a sentence.
  public var verdict: String {
    switch outcome {
    case .callLog where missingEnds.isEmpty: "The conversation gives a call log."
    case .callLog:
      "The conversation gives a call log: LINKEDID_END is missing for \(missingEnds.joined(separator: ", ")), and close_after closes the call at its newest event."
    case .unfinished where !stored.isEmpty:
      "LINKEDID_END is missing for \(missingEnds.joined(separator: ", ")); a run with close_after closed the call at its newest event at that time."
    case .unfinished:
      "No call log: LINKEDID_END is missing for \(missingEnds.joined(separator: ", ")). A run makes the call log once it is there."
    case .invalid(let reason): "No call log: \(reason.rawValue)."
    case .refused(let reason): "No call log: \(reason.rawValue)."
    }
  }
}
