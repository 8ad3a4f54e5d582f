import Foundation
import TestSupport
import Testing

@testable import CallLogs
@testable import Values

@Suite("Call logs as JSON")
struct CallLogJSONTests {
  @Test("one line of JSON: every column, null for what was never set")
  func whole() throws {
    let path = Stage.path("5a7d10c2-91be-4c3f-9d02-6f1e8b2c7a55")
    let rows = Stage.callToNoor([
      Row("WAZO_CALL_LOG_DESTINATION", Stage.mira, 0.5, payload: "type: user,uuid: \(House.noor),name: Noor Vale"),
      Row("BRIDGE_ENTER", Stage.mira, 2.000_001), Row("MIXMONITOR_START", Stage.mira, 3, extra: Stage.recording(path)),
    ])
    let expected = """
      {"conversation_id":"1772438400.1","date":"2026-03-02T08:00:00.000000+00:00","date_answer":"2026-03-02T08:00:02.000001+00:00",\
      "date_end":"2026-03-02T08:01:00.000000+00:00","tenant_uuid":"\(House.tenant)","direction":"internal","blocked":false,\
      "reached_voicemail":false,"user_field":null,"source_name":"Mira Sand","source_exten":"201","source_internal_name":"Mira Sand",\
      "source_internal_exten":"201","source_internal_context":"floor","source_line_identity":"pjsip/mira","requested_name":"Noor Vale",\
      "requested_exten":"202","requested_context":"floor","requested_internal_exten":"202","requested_internal_context":"floor",\
      "destination_name":"Noor Vale","destination_exten":"202","destination_internal_exten":"202","destination_internal_context":"floor",\
      "destination_line_identity":"pjsip/noor","participants":[{"user_uuid":"\(House.mira)","line_id":41,"role":"source","tags":["design"],\
      "answered":false,"requested":false},{"user_uuid":"\(House.noor)","line_id":42,"role":"destination","tags":["design","oslo"],\
      "answered":false,"requested":true}],"destination_details":{"type":"user","user_uuid":"\(House.noor)","user_name":"Noor Vale"},\
      "recordings":[{"uuid":"5a7d10c2-91be-4c3f-9d02-6f1e8b2c7a55","start_time":"2026-03-02T08:00:03.000000+00:00",\
      "end_time":"2026-03-02T08:01:00.000000+00:00","path":"\(path)"}],"cel_ids":[1,3,2,4,5,6,7,8]}
      """
    #expect(interpret(rows).json == [expected])
  }

  @Test("any text is written so that Foundation reads the same")
  func texts() throws {
    var random = Seeded("JSON writer")
    let arena = TextArena()
    for _ in 0..<500 {
      let text = String(
        String.UnicodeScalarView(
          (0..<random.below(10)).map { _ in random.pick(Array("a\"\\\n\u{1}\u{1F}\u{7F}é漢😀\u{2028}/".unicodeScalars)) }))
      var json = JSONWriter()
      json.open("{")
      json.field("a", arena.text(text))
      json.field("b", .null)
      json.number("c", -5)
      json.number("d", nil)
      json.key("e")
      json.open("[")
      json.element(arena.text(text))
      json.element(7)
      json.close("]")
      json.close("}")
      let read = try #require(try JSONSerialization.jsonObject(with: Data(json.out)) as? [String: Any])
      #expect(read["a"] as? String == text, "seed \(random.seed)")
      #expect(read["b"] is NSNull && read["d"] is NSNull && read["c"] as? Int == -5)
      #expect((read["e"] as? [Any])?.first as? String == text)
    }
  }
}
