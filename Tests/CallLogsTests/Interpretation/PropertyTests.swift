import TestSupport
import Testing

@testable import CallLogs
@testable import Values

@Suite("What holds for any rows")
struct PropertyTests {
  private func described(_ result: Interpreted) -> [String] {
    var outcomes = result.outcomes.map { outcome in
      if case .callLog = outcome { return "call log" }
      return "\(outcome)"
    }
    outcomes.sort()
    let uuids = result.uuids.sorted().map(\.description)
    let flaws = result.tally.noted.map { "\($0) \(result.tally[$0])" }
    return result.json.sorted() + uuids + outcomes + flaws
  }

  @Test("the order in which rows are read changes nothing, to the byte")
  func permutations() {
    var random = Seeded("permutations")
    var made = 0
    for round in 0..<150 {
      let rows = (0..<3).flatMap { random.conversation(1_772_438_400 + $0, from: Int64(1 + $0 * 100)) }
      let expected = described(interpret(rows))
      made += interpret(rows).logs.count
      for _ in 0..<3 {
        #expect(described(interpret(rows.shuffled(using: &random))) == expected, "seed \(random.seed), round \(round)")
      }
    }
    #expect(made > 150)
  }

  @Test("how unrelated conversations are spread over batches changes nothing, in a batch that is used again too")
  func batches() {
    var random = Seeded("batches")
    for round in 0..<60 {
      let conversations = (0..<6).map { random.conversation(1_772_438_400 + $0, from: Int64(1 + $0 * 100)) }
      let together = interpret(conversations.flatMap { $0 })
      var batch = CELBatch()
      var apart = Interpreted()
      for conversation in conversations {
        let one = interpret(conversation, batch: batch)
        apart.json += one.json
        apart.uuids += one.uuids
        apart.outcomes += one.outcomes
        apart.tally.add(one.tally)
        batch.removeAll()
      }
      #expect(described(apart) == described(together), "seed \(random.seed), round \(round)")
    }
  }

  @Test("random bytes in any column never stop the program, every row is accounted for, and every text is valid and fits")
  func garbage() {
    var random = Seeded("garbage")
    let arena = TextArena()
    for round in 0..<150 {
      arena.removeAll()
      var batch = CELBatch()
      var tally = Tally()
      var left = 0
      let rows = random.conversation(1_772_438_400, from: 1) + random.conversation(1_772_438_401, from: 100)
      for row in rows {
        var columns = row.columns(arena)
        for name in CELColumns.Name.allCases where random.chance(8) { columns[name] = random.garbage(arena) }
        if random.chance(3) { columns.time = random.pick([nil, Int64.min, Int64.max, 0]) }
        if random.chance(3) { columns.channame = "Message/ast_msg_queue" }
        if case .row = batch.append(columns, tally: &tally) {} else { left += 1 }
      }
      var grouping = Grouping()
      grouping.group(batch)
      #expect(left + grouping.order.count == rows.count, "seed \(random.seed), round \(round)")
      #expect(Set(grouping.order).count == batch.count)
      #expect(grouping.groups.map(\.rows.count).reduce(0, +) == batch.count)
      var interpreter = Interpreter(directory: House.directory, defaultTenant: uuid(House.masterTenant))
      var logs = CallLogBatch()
      for number in grouping.groups.indices {
        let before = logs.callLogs.count
        let outcome = interpreter.interpret(group: number, of: grouping, in: batch, into: &logs)
        if case .callLog(let made) = outcome {
          #expect(made == before && logs.callLogs.count == before + 1)
        } else {
          #expect(logs.callLogs.count == before)
        }
      }
      for log in logs.callLogs {
        for (text, limit) in Self.texts(of: log, logs) where !text.isNull {
          #expect(
            String(validating: text.bytes, as: UTF8.self) != nil, "seed \(random.seed), round \(round): \(Array(text.bytes))")
          #expect(text.codePoints <= limit && !text.bytes.contains(0), "seed \(random.seed), round \(round)")
        }
      }
      withExtendedLifetime(batch) {}
    }
  }

  private static func texts(of log: CallLog, _ logs: CallLogBatch) -> [(Text, Int)] {
    let short = [
      log.conversationID, log.userField, log.sourceName, log.sourceExten, log.sourceLineIdentity, log.requestedExten,
      log.requestedContext,
      log.destinationName, log.destinationExten, log.destinationLineIdentity,
    ]
    let long = [
      log.sourceInternalName, log.sourceInternalExten, log.sourceInternalContext, log.requestedName, log.requestedInternalExten,
      log.requestedInternalContext, log.destinationInternalExten, log.destinationInternalContext,
    ]
    return short.map { ($0, 255) } + long.map { ($0, .max) }
      + logs.destinationDetails[log.destinationDetails].map { ($0.value, 255) }
      + logs.recordings[log.recordings].map { ($0.path, .max) }
  }

  @Test("an event at the end of time does not stop the program")
  func extremeTimes() {
    for time in [Int64.min, Int64.max, -1, 0] {
      let rows = Stage.call([]).map { row in
        var row = row
        row.time = time
        return row
      }
      #expect(interpret(rows).json.count == 1)
    }
  }
}

extension Seeded {
  /// What may stand in a column: any bytes, made valid as the readers do.
  fileprivate mutating func garbage(_ arena: TextArena) -> Text {
    let alphabet = Array("{}[]\":,\\u0 extraNAME:;/-@.%".utf8) + [0, 0x80, 0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0xFF, 0x0A]
    if chance(10) {
      return pick([.null, .empty, "9223372036854775808.1", "18446744073709551615.18446744073709551615", "Local/€", "pbx-1"])
    }
    let bytes = (0..<below(40)).map { _ in pick(alphabet) }
    var flags = (false, false)
    return bytes.withUnsafeBytes { arena.validText($0, invalid: &flags.0, nul: &flags.1) }
  }
}
