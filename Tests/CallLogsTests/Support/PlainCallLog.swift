import CallLogs
import Testing
import Values

/// A call log as plain values: times in seconds after ``Row/base``.
struct PlainCallLog: Equatable, Sendable {
  struct Participant: Equatable, Sendable {
    var user: String
    var line: Int32?
    var role: String
    var tags: [String]
    var answered: Bool
    var requested: Bool

    init(
      _ user: String, line: Int32?, _ role: String, _ tags: [String] = [], answered: Bool = false, requested: Bool = false
    ) {
      (self.user, self.line, self.role, self.tags) = (user, line, role, tags)
      (self.answered, self.requested) = (answered, requested)
    }
  }

  struct Recording: Equatable, Sendable {
    var uuid: String
    var start: Double
    var end: Double
    var path: String
  }

  var conversationID: String?
  var date = 0.0
  var dateAnswer: Double?
  var dateEnd: Double?
  var tenant = ""
  var direction = "internal"
  var blocked = false
  var reachedVoicemail = false
  var userField: String?
  var sourceName: String?
  var sourceExten: String?
  var sourceInternalName: String?
  var sourceInternalExten: String?
  var sourceInternalContext: String?
  var sourceLineIdentity: String?
  var requestedName: String?
  var requestedExten: String?
  var requestedContext: String?
  var requestedInternalExten: String?
  var requestedInternalContext: String?
  var destinationName: String?
  var destinationExten: String?
  var destinationInternalExten: String?
  var destinationInternalContext: String?
  var destinationLineIdentity: String?
  var participants: [Participant] = []
  var details: [String: String] = [:]
  var recordings: [Recording] = []
  var celIDs: [Int64] = []

  init(_ fill: (inout PlainCallLog) -> Void = { _ in }) { fill(&self) }

  init(_ log: CallLog, of results: CallLogBatch, _ grouping: Grouping, _ batch: CELBatch) {
    func seconds(_ time: Int64) -> Double { (Double(time) - Double(Row.base)) / 1_000_000 }
    conversationID = log.conversationID.optionalString
    date = seconds(log.date)
    dateAnswer = log.dateAnswer.map(seconds)
    dateEnd = log.dateEnd.map(seconds)
    tenant = log.tenant.description
    direction = log.direction.rawValue
    blocked = log.blocked
    reachedVoicemail = log.reachedVoicemail
    userField = log.userField.optionalString
    sourceName = log.sourceName.optionalString
    sourceExten = log.sourceExten.optionalString
    sourceInternalName = log.sourceInternalName.optionalString
    sourceInternalExten = log.sourceInternalExten.optionalString
    sourceInternalContext = log.sourceInternalContext.optionalString
    sourceLineIdentity = log.sourceLineIdentity.optionalString
    requestedName = log.requestedName.optionalString
    requestedExten = log.requestedExten.optionalString
    requestedContext = log.requestedContext.optionalString
    requestedInternalExten = log.requestedInternalExten.optionalString
    requestedInternalContext = log.requestedInternalContext.optionalString
    destinationName = log.destinationName.optionalString
    destinationExten = log.destinationExten.optionalString
    destinationInternalExten = log.destinationInternalExten.optionalString
    destinationInternalContext = log.destinationInternalContext.optionalString
    destinationLineIdentity = log.destinationLineIdentity.optionalString
    participants = results.participants[log.participants].map {
      Participant(
        $0.userUUID.description, line: $0.lineID, $0.role.rawValue, $0.tags.map(\.string), answered: $0.answered,
        requested: $0.requested)
    }
    for detail in results.destinationDetails[log.destinationDetails] { details[detail.key.string] = detail.value.string }
    recordings = results.recordings[log.recordings].map {
      Recording(uuid: $0.uuid.description, start: seconds($0.start), end: seconds($0.end), path: $0.path.string)
    }
    celIDs = grouping.order[grouping.groups[log.group].rows].map { batch.rows[Int($0)].id }
  }

  private static func text(_ value: Any) -> String {
    // The order of a dictionary is no difference.
    (value as? [String: String]).map { "\($0.sorted { $0.key < $1.key })" } ?? String(reflecting: value)
  }

  /// The fields in which this differs from `expected`, as `field: this instead of that`.
  func differences(from expected: PlainCallLog) -> [String] {
    zip(Mirror(reflecting: self).children, Mirror(reflecting: expected).children).compactMap { mine, other in
      let (mineText, otherText) = (PlainCallLog.text(mine.value), PlainCallLog.text(other.value))
      return mineText == otherText ? nil : "\(mine.label ?? "?"): \(mineText) instead of \(otherText)"
    }
  }
}

/// What became of a number of rows.
struct Interpreted: Sendable {
  /// By group, in the order of the groups.
  var outcomes: [Outcome] = []
  var logs: [PlainCallLog] = []
  /// The call logs as JSON, one to an element.
  var json: [String] = []
  var uuids: [UUIDValue] = []
  var tally = Tally()
  var groupedRows = 0
  var chats = 0
  var unusable = 0

  /// The call log of rows that must give exactly one.
  func only() throws -> PlainCallLog {
    try #require(logs.count == 1 && outcomes.count == 1, "outcomes: \(outcomes)")
    return logs[0]
  }
}

/// Runs rows through batch, grouping and interpreter.
func interpret(_ rows: [Row], in directory: Directory = House.directory, batch reused: CELBatch? = nil) -> Interpreted {
  var result = Interpreted()
  var batch = reused ?? CELBatch()
  let scratch = TextArena()
  for row in rows {
    switch batch.append(row.columns(scratch), tally: &result.tally) {
    case .row: break
    case .chat: result.chats += 1
    case .unusable: result.unusable += 1
    }
  }
  var grouping = Grouping()
  grouping.group(batch)
  var interpreter = Interpreter(directory: directory, defaultTenant: uuid(House.masterTenant))
  var logs = CallLogBatch()
  for number in grouping.groups.indices {
    result.groupedRows += grouping.groups[number].rows.count
    result.outcomes.append(interpreter.interpret(group: number, of: grouping, in: batch, into: &logs))
  }
  result.tally.add(interpreter.takeTally())
  for number in logs.callLogs.indices {
    result.logs.append(PlainCallLog(logs.callLogs[number], of: logs, grouping, batch))
    var json: [UInt8] = []
    logs.appendJSON(ofCallLog: number, grouping: grouping, batch: batch, to: &json)
    result.json.append(String(decoding: json, as: UTF8.self))
  }
  result.uuids = logs.participants.map(\.uuid) + logs.destinationDetails.map(\.uuid) + logs.recordings.map(\.uuid)
  // The texts of the call logs lie in the batch's memory.
  withExtendedLifetime((batch, scratch)) {}
  return result
}

/// The UUID written in `text`, all zeros if it is none.
func uuid(_ text: String) -> UUIDValue { UUIDValue(text) ?? UUIDValue(high: 0, low: 0) }
