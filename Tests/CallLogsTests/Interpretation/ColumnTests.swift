import Testing

@testable import CallLogs

@Suite("Texts fit their columns")
struct ColumnTests {
  private let long = String(repeating: "é", count: 300)
  private let fitting = String(repeating: "é", count: 255)

  @Test("varchar(255) columns are cut at a character boundary and counted; text columns are not cut")
  func cut() throws {
    let start = Row("CHAN_START", Channel("PJSIP/\(long)-01", 1), 0, "\(long) <\(long)>", "\(long)@\(long)")
    let result = interpret(
      Stage.call(
        [
          Row("APP_START", start.channel, 1, userfield: long),
          Row("CHAN_START", Channel("SIP/\(long)-01", 2), 2, "\(long) <\(long)>"),
          Row("WAZO_CALL_LOG_REQUESTED_INTERNAL", start.channel, 3, payload: "number: \(long),context: \(long)"),
        ], from: start))
    let log = try result.only()
    for text in [
      log.sourceName, log.sourceExten, log.requestedExten, log.requestedContext, log.destinationName, log.destinationExten,
      log.userField,
    ] {
      #expect(text == fitting)
    }
    #expect(log.sourceLineIdentity == "pjsip/" + fitting.dropLast(6))
    #expect(log.destinationLineIdentity == "sip/" + fitting.dropLast(4))
    for text in [log.sourceInternalName, log.requestedName, log.requestedInternalExten, log.requestedInternalContext] {
      #expect(text == long)
    }
    #expect(result.tally[.cutText] == 9)
    #expect(result.tally.examples(of: .cutText).allSatisfy { $0 == 1 })
  }

  @Test("255 characters fit, however many bytes they have")
  func fits() throws {
    let result = interpret(Stage.call([], from: Row("CHAN_START", Stage.mira, 0, "\(fitting) <1>", "202@floor")))
    #expect(try result.only().sourceName == fitting)
    #expect(result.tally[.cutText] == 0)
  }

  @Test("destination details and tags are cut too, recording paths are not")
  func parts() throws {
    var contents = House.contents
    contents.users[0].userfield = "\(long),b"
    let rows = [
      Row("WAZO_CALL_LOG_DESTINATION", Stage.mira, 1, payload: "type: group,id: 1,label: \(long)"),
      Row("BRIDGE_ENTER", Stage.mira, 2), Row("MIXMONITOR_START", Stage.mira, 3, extra: Stage.recording("/tmp/\(long)")),
    ]
    let result = interpret(Stage.call(rows), in: Directory(contents))
    let log = try result.only()
    #expect(log.details["group_label"] == fitting)
    #expect(log.participants[0].tags == [String(repeating: "é", count: 128), "b"])
    #expect(log.recordings[0].path == "/tmp/\(long)")
    #expect(result.tally[.cutText] == 3)
  }

  @Test("conversation_id is never cut: such a call is refused")
  func conversationID() {
    let limit = String(repeating: "é", count: 255)
    for (linkedid, outcome) in [(limit, Outcome.callLog(0)), (limit + "x", .refused(.conversationIDTooLong))] {
      let rows = Stage.call([]).map { row in
        var row = row
        row.linkedid = linkedid
        return row
      }
      #expect(interpret(rows).outcomes == [outcome])
    }
  }
}
