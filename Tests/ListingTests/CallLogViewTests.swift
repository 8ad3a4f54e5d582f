import Foundation
import Testing

@testable import CallLogs
@testable import Listing
@testable import Values

@Suite("Call logs as people see them")
struct CallLogViewTests {
  private static let tenant = "2c34c282-433e-4bb8-8d56-fec14ff7e1e9"
  private static let alice = "cb79f29b-f69a-4b93-85c2-49dcce119a9f"
  private static let bob = "c3d40a06-9a51-4c1b-9d85-fe1ea1f5b3a7"
  private static let recording = "5a7d10c2-91be-4c3f-9d02-6f1e8b2c7a55"

  /// 2017-03-23 00:00 UTC.
  private static let start: Int64 = 543_542_400_000_000

  private static func uuid(_ text: String) throws -> UUIDValue { try #require(UUIDValue(text)) }

  /// A call from Alice to Bob, answered after a minute, one minute long, recorded twice.
  private static func call() throws -> CallLogView {
    var log = CallLogView(id: 12, tenant: try uuid(tenant), start: start)
    log.answer = start + 60_000_000
    log.end = start + 120_900_000
    log.direction = "internal"
    log.conversationID = "1490227200.10"
    log.userField = "vip, \"gold\""
    log.destinationExtension = "102"
    log.destinationName = "Bob"
    log.destinationInternalExtension = "102"
    log.destinationInternalContext = "inside"
    log.destination = CallLogView.Party(user: try uuid(bob), line: 2)
    log.requestedName = "Bob"
    log.requestedExtension = "102"
    log.requestedContext = "inside"
    log.requestedInternalExtension = "102"
    log.requestedInternalContext = "inside"
    log.requestedUser = try uuid(bob)
    log.sourceExtension = "101"
    log.sourceName = "Alice, \"A\""
    log.sourceInternalName = "Alice"
    log.sourceInternalExtension = "101"
    log.sourceInternalContext = "inside"
    log.source = CallLogView.Party(user: try uuid(alice), line: nil)
    log.add(tags: ["quebec", "chicoutimi"])
    log.add(tags: ["alpha", "quebec"])
    log.destinationDetails = [("user_name", "Bob"), ("user_uuid", "c3d40a06-9a51-4c1b-9d85-fe1ea1f5b3a7"), ("type", "user")]
    log.recordings = [
      CallLogView.Recording(uuid: try uuid(recording), start: start + 60_500_000, end: start + 61_000_000, isDeleted: false),
      CallLogView.Recording(
        uuid: UUIDValue(high: 0, low: 1), start: start + 62_000_000, end: start + 63_000_001, isDeleted: true),
    ]
    return log
  }

  private static func text(_ body: (inout [UInt8]) -> Void) -> String {
    var out: [UInt8] = []
    body(&out)
    return String(decoding: out, as: UTF8.self)
  }

  @Test("the API's CSV, to the byte")
  func csv() throws {
    let form = CallLogCSV(recordings: 3)
    let header = CallLogViewTests.text { form.appendHeader(to: &$0) }
    #expect(
      header == """
        id,tenant_uuid,answered,start,answer,end,destination_extension,destination_name,destination_internal_extension,\
        destination_internal_context,destination_user_uuid,destination_line_id,duration,call_direction,call_status,requested_name,\
        requested_extension,requested_context,requested_internal_extension,requested_internal_context,requested_user_uuid,\
        source_extension,source_name,source_internal_name,source_internal_extension,source_internal_context,source_user_uuid,\
        source_line_id,tags,\
        recording_1_uuid,recording_1_start_time,recording_1_end_time,recording_1_deleted,recording_1_filename,\
        recording_2_uuid,recording_2_start_time,recording_2_end_time,recording_2_deleted,recording_2_filename,\
        recording_3_uuid,recording_3_start_time,recording_3_end_time,recording_3_deleted,recording_3_filename\r\n
        """)
    let log = try CallLogViewTests.call()
    let row = CallLogViewTests.text { form.append(log, to: &$0) }
    #expect(
      row == """
        12,\(CallLogViewTests.tenant),True,2017-03-23T00:00:00+00:00,2017-03-23T00:01:00+00:00,2017-03-23T00:02:00.900000+00:00,\
        102,Bob,102,inside,\(CallLogViewTests.bob),2,60,internal,answered,Bob,102,inside,102,inside,\(CallLogViewTests.bob),\
        101,"Alice, ""A""\",Alice,101,inside,\(CallLogViewTests.alice),,alpha;chicoutimi;quebec,\
        \(CallLogViewTests.recording),2017-03-23T00:01:00.500000+00:00,2017-03-23T00:01:01+00:00,False,\
        2017-03-23T00_01_00UTC-12-\(CallLogViewTests.recording).wav,\
        00000000-0000-0000-0000-000000000001,2017-03-23T00:01:02+00:00,2017-03-23T00:01:03.000001+00:00,True,\
        2017-03-23T00_01_02UTC-12-00000000-0000-0000-0000-000000000001.wav,\
        ,,,,\r\n
        """)
    let empty = CallLogView(id: 1, tenant: UUIDValue(high: 0, low: 0), start: 0)
    let line = CallLogViewTests.text { CallLogCSV(recordings: 0).append(empty, to: &$0) }
    let commas = (String(repeating: ",", count: 11), String(repeating: ",", count: 14))
    #expect(line == "1,00000000-0000-0000-0000-000000000000,False,2000-01-01T00:00:00+00:00\(commas.0)unknown\(commas.1)\r\n")
    #expect(line.count { $0 == "," } == CallLogField.csv.count - 1)
  }

  @Test("the API's JSON, to the byte, and nulls for what is not known")
  func json() throws {
    let log = try CallLogViewTests.call()
    #expect(
      CallLogViewTests.text { log.appendJSON(to: &$0) } == """
        {"id":12,"tenant_uuid":"\(CallLogViewTests.tenant)","start":"2017-03-23T00:00:00+00:00","end":"2017-03-23T00:02:00.900000+00:00",\
        "answered":true,"answer":"2017-03-23T00:01:00+00:00","duration":60,"call_direction":"internal","call_status":"answered",\
        "conversation_id":"1490227200.10","destination_details":{"type":"user","user_uuid":"\(CallLogViewTests.bob)","user_name":"Bob"},\
        "destination_extension":"102","destination_internal_context":"inside","destination_internal_extension":"102",\
        "destination_line_id":2,"destination_name":"Bob","destination_user_uuid":"\(CallLogViewTests.bob)","requested_name":"Bob",\
        "requested_context":"inside","requested_extension":"102","requested_internal_context":"inside",\
        "requested_internal_extension":"102","requested_user_uuid":"\(CallLogViewTests.bob)","source_extension":"101",\
        "source_internal_context":"inside","source_internal_name":"Alice","source_internal_extension":"101","source_line_id":null,\
        "source_name":"Alice, \\"A\\"","source_user_uuid":"\(CallLogViewTests.alice)","tags":["alpha","chicoutimi","quebec"],\
        "recordings":[{"uuid":"\(CallLogViewTests.recording)","start_time":"2017-03-23T00:01:00.500000+00:00",\
        "end_time":"2017-03-23T00:01:01+00:00","deleted":false,\
        "filename":"2017-03-23T00_01_00UTC-12-\(CallLogViewTests.recording).wav"},\
        {"uuid":"00000000-0000-0000-0000-000000000001","start_time":"2017-03-23T00:01:02+00:00",\
        "end_time":"2017-03-23T00:01:03.000001+00:00","deleted":true,\
        "filename":"2017-03-23T00_01_02UTC-12-00000000-0000-0000-0000-000000000001.wav"}]}
        """)
    var empty = CallLogView(id: 1, tenant: UUIDValue(high: 0, low: 0), start: 0)
    empty.destinationDetails = [("conference_id", "7"), ("group_id", "x")]
    let bytes = Data(CallLogViewTests.text { empty.appendJSON(to: &$0) }.utf8)
    let read = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
    #expect(read.count == 32 && read["answer"] is NSNull && read["duration"] is NSNull && read["source_user_uuid"] is NSNull)
    // Without a type nobody knows what the other keys mean.
    #expect(read["destination_details"] as? [String: String] == ["type": "unknown"])
    var typed = empty
    typed.destinationDetails.append(("type", "conference"))
    let typedBytes = Data(CallLogViewTests.text { typed.appendJSON(to: &$0) }.utf8)
    let again = try #require(try JSONSerialization.jsonObject(with: typedBytes) as? [String: Any])
    let details = try #require(again["destination_details"] as? [String: Any])
    #expect(
      details["type"] as? String == "conference" && details["conference_id"] as? Int == 7 && details["group_id"] as? String == "x"
    )
  }

  @Test("the older guide's CSV, to the byte: its sample row, empty parts, local time")
  func legacy() throws {
    var log = CallLogView(id: 1, tenant: UUIDValue(high: 0, low: 0), start: 473_472_000_000_000)
    log.sourceName = "Alice"
    log.sourceExtension = "1001"
    log.destinationExtension = "1002"
    log.userField = "userfield"
    log.answer = log.start
    log.end = log.start + 1_600_000
    let utc = LegacyCallLogCSV { _ in 0 }
    #expect(CallLogViewTests.text { utc.appendHeader(to: &$0) } == "Call Date,Caller,Called,Period,user Field\r\n")
    #expect(CallLogViewTests.text { utc.append(log, to: &$0) } == "2015-01-02T00:00:00,Alice (1001),1002,2,userfield\r\n")
    // Clocks that are put forward at 2015-01-02 00:00 UTC.
    let zone = LegacyCallLogCSV { $0 < 1_420_156_800 ? 3600 : 7200 }
    #expect(CallLogViewTests.text { zone.append(log, to: &$0) }.hasPrefix("2015-01-02T02:00:00,"))
    log.start -= 1
    log.sourceName = .null
    log.userField = .null
    log.end = nil
    #expect(CallLogViewTests.text { zone.append(log, to: &$0) } == "2015-01-02T00:59:59.999999, (1001),1002,0,\r\n")
    log.sourceName = "=cmd"
    log.sourceExtension = .null
    log.destinationExtension = "+33123"
    let safe = LegacyCallLogCSV(isSpreadsheetSafe: true) { _ in 0 }
    #expect(CallLogViewTests.text { safe.append(log, to: &$0) } == "2015-01-01T23:59:59.999999,'=cmd (),'+33123,0,\r\n")
  }

  @Test(
    "duration is rounded down, the period to the nearest second with halves to the even one; neither goes below 0",
    arguments: [
      (0, 0, 0), (499_999, 0, 0), (500_000, 0, 0), (500_001, 0, 1), (1_499_999, 1, 1), (1_500_000, 1, 2), (2_500_000, 2, 2),
      (2_500_001, 2, 3), (3_500_000, 3, 4), (60_900_000, 60, 61), (-1, 0, 0), (-5_000_000, 0, 0),
    ] as [(Int64, Int64, Int64)])
  func lengths(talk: Int64, duration: Int64, period: Int64) {
    var log = CallLogView(id: 1, tenant: UUIDValue(high: 0, low: 0), start: 0)
    log.answer = 10_000_000
    #expect(log.duration == nil && LegacyCallLogCSV.period(log) == 0)
    log.end = 10_000_000 + talk
    #expect(log.duration == duration && LegacyCallLogCSV.period(log) == period)
  }

  @Test("any times can be written, infinities too")
  func extremes() {
    for (start, answer, end) in [(Int64.max, Int64.min, Int64.max), (.min, .max, .min), (-1, -1, 1)] {
      var log = CallLogView(id: 1, tenant: UUIDValue(high: 0, low: 0), start: start)
      (log.answer, log.end) = (answer, end)
      log.recordings = [CallLogView.Recording(uuid: UUIDValue(high: 0, low: 0), start: start, end: end, isDeleted: false)]
      #expect(CallLogViewTests.text { CallLogCSV(recordings: 1).append(log, to: &$0) }.hasSuffix(".wav\r\n"))
      #expect(CallLogViewTests.text { LegacyCallLogCSV { _ in 3600 }.append(log, to: &$0) }.hasSuffix("\r\n"))
      #expect(CallLogViewTests.text { log.appendJSON(to: &$0) }.hasSuffix("}"))
    }
  }

  @Test("the status goes by blocked, then answered, then voicemail")
  func status() {
    for (blocked, answered, voicemail) in (0..<8).map({ ($0 & 4 != 0, $0 & 2 != 0, $0 & 1 != 0) }) {
      var log = CallLogView(id: 1, tenant: UUIDValue(high: 0, low: 0), start: 0)
      (log.isBlocked, log.answer, log.reachedVoicemail) = (blocked, answered ? 1 : nil, voicemail)
      #expect(log.status == (blocked ? .blocked : answered ? .answered : voicemail ? .voicemail : .unknown))
    }
  }
}
