import API
import TestSupport
import Testing
import Values

@Suite("Bodies of requests")
struct BodyTests {
  private func details<T>(_ read: () throws -> T) -> String {
    do {
      return "accepted: \(try read())"
    } catch let error as APIError {
      #expect(error.status == 400)
      return error.id == nil ? "no JSON" : String(decoding: error.details.bytes, as: UTF8.self)
    } catch {
      return "\(error)"
    }
  }

  private func deletion(_ body: String) -> String { details { try CallLogIDsBody.required(Array(body.utf8)) } }
  private func export(_ body: String) -> String { details { try CallLogIDsBody(forExport: Array(body.utf8)).ids ?? [] } }
  private func retention(_ body: String) -> String {
    details {
      let body = try RetentionBody(Array(body.utf8))
      return [body.callLogDays, body.exportDays, body.recordingDays].map { $0.map { "\($0)" } ?? "-" }.joined(separator: " ")
    }
  }

  private static let noInteger = #"{"message":"Not a valid integer.","constraint_id":"type","constraint":"integer"}"#
  private static let noList = #"{"cdr_ids":{"message":"Not a valid list.","constraint_id":"type","constraint":"list"}}"#
  private static let noObject = #"{"_schema":["Invalid input type."]}"#

  @Test("a deletion names call logs, by numbers or digits, each once")
  func deletions() {
    #expect(deletion(#"{"cdr_ids": [3, 1, "2", 3], "colour": "blue"}"#) == "accepted: [1, 2, 3]")
    #expect(deletion(#"{"cdr_ids": [-1]}"#) == "accepted: [-1]")
    let missing =
      #"{"cdr_ids":{"message":"Missing data for required field.","constraint_id":"required","constraint":"required"}}"#
    for body in ["{}", "null", "[]", #"{"CDR_IDS": [1]}"#] { #expect(deletion(body) == missing) }
    #expect(
      deletion(#"{"cdr_ids": null}"#)
        == #"{"cdr_ids":{"message":"Field may not be null.","constraint_id":"not_null","constraint":"not_null"}}"#)
    #expect(
      deletion(#"{"cdr_ids": []}"#)
        == #"{"cdr_ids":[{"message":"Shorter than minimum length 1.","constraint_id":"length","constraint":{"min":1,"max":null}}]}"#
    )
    for value in ["1", "\"x\"", "{}", "true"] { #expect(deletion("{\"cdr_ids\": \(value)}") == Self.noList) }
    #expect(
      deletion(#"{"cdr_ids": ["x", 1, 1.5, true, null, [1]]}"#)
        == "{\"cdr_ids\":{\(["0", "2", "3", "4", "5"].map { "\"\($0)\":\(Self.noInteger)" }.joined(separator: ","))}}")
    #expect(deletion(#"{"cdr_ids": [99999999999999999999]}"#) == "{\"cdr_ids\":{\"0\":\(Self.noInteger)}}")
  }

  @Test("an export takes no ids for all call logs, and needs an object")
  func exports() {
    for body in ["{}", #"{"cdr_ids": null}"#, #"{"cdr_ids": []}"#] { #expect(export(body) == "accepted: []") }
    #expect(export(#"{"cdr_ids": [2, "1"]}"#) == "accepted: [1, 2]")
    #expect(export(#"{"cdr_ids": 5}"#) == Self.noList)
    for body in ["[]", "null", "5", "\"x\"", "[1]"] { #expect(export(body) == Self.noObject) }
  }

  @Test("a body that is no JSON is refused as such", arguments: ["", "{", "hello", #"{"cdr_ids": [1"#, "{} x", "\u{0}"])
  func noJSON(body: String) {
    #expect(deletion(body) == "no JSON" && export(body) == "no JSON" && retention(body) == "no JSON")
  }

  @Test("days are set as they are given, and to none where they are not")
  func retention() {
    #expect(retention(#"{"cdr_days": 20, "export_days": 3, "recording_days": 20}"#) == "accepted: 20 3 20")
    #expect(retention(#"{"cdr_days": "7", "tenant_uuid": "x", "default_cdr_days": -1}"#) == "accepted: 7 - -")
    #expect(retention("{}") == "accepted: - - -")
    #expect(retention(#"{"cdr_days": null, "recording_days": 2147483647}"#) == "accepted: - - 2147483647")
    #expect(retention(#"{"cdr_days": 0, "recording_days": 0}"#) == "accepted: 0 - 0")
  }

  @Test("bad days are told together; recordings cannot be kept longer than call logs")
  func badDays() {
    let belowZero = #"[{"message":"Must be greater than or equal to 0.","constraint_id":"range","constraint":{"min":0}}]"#
    #expect(retention(#"{"cdr_days": -1, "recording_days": 2}"#) == "{\"cdr_days\":\(belowZero)}")
    #expect(
      retention(#"{"recording_days": -3, "cdr_days": "x", "export_days": 12.9}"#)
        == "{\"cdr_days\":\(Self.noInteger),\"export_days\":\(Self.noInteger),\"recording_days\":\(belowZero)}")
    for value in ["true", "[1]", "{}", "\"\"", "\"1.5\"", "\" 1\""] {
      #expect(retention("{\"cdr_days\": \(value)}") == "{\"cdr_days\":\(Self.noInteger)}")
    }
    #expect(retention(#"{"cdr_days": 2147483648}"#).hasPrefix(#"{"cdr_days":[{"message":"Must be less"#))
    #expect(retention(#"{"cdr_days": 1, "recording_days": 2}"#).hasPrefix(#"{"recording_days":["#))
    for body in ["null", "[]", "[1]", "5"] { #expect(retention(body) == Self.noObject) }
  }

  @Test("the log level is patched, and nothing else")
  func patch() {
    func read(_ body: String) -> String { details { try DebugPatch.read(Array(body.utf8)).map { "\($0)" } ?? "nothing" } }
    #expect(read(#"[{"op": "replace", "path": "/debug", "value": true, "x": 1}]"#) == "accepted: true")
    #expect(
      read(
        #"[{"op": "replace", "path": "/debug", "value": true}, {"op": "replace", "path": "/debug", "value": false}]"#)
        == "accepted: false")
    #expect(read("[]") == "accepted: nothing")
    for body in ["null", "{}", "5"] { #expect(read(body) == Self.noObject) }
    #expect(read("[") == "no JSON")
    #expect(
      read(#"[{"op": "replace", "path": "/debug", "value": true}, {"op": "replace", "path": "/uri", "value": true}, 7]"#)
        == #"{"1":{"path":["Must be equal to /debug."]},"2":{"_schema":["Invalid input type."]}}"#)
    #expect(
      read(#"[{"path": "/debug", "value": "true"}]"#)
        == #"{"0":{"op":["Must be equal to replace."],"value":["Not a valid boolean."]}}"#)
    #expect(
      read(#"[{"op": "replace", "path": "/debug"}]"#) == #"{"0":{"value":["Missing data for required field."]}}"#)
  }

  @Test("the days of a tenant are answered with the defaults")
  func answer() {
    let tenant = UUIDValue(high: 0, low: 1)
    let answer = RetentionAnswer(
      tenant: tenant, days: (callLogs: 3, exports: nil, recordings: 1), defaults: (callLogs: 365, exports: 2, recordings: nil))
    #expect(
      String(decoding: answer.json.bytes, as: UTF8.self)
        == "{\"tenant_uuid\":\"\(tenant)\",\"cdr_days\":3,\"export_days\":null,\"recording_days\":1,\"default_cdr_days\":365,\"default_export_days\":2,\"default_recording_days\":null}"
    )
  }
}

@Suite("JSON of the API")
struct JSONValueTests {
  private func any(_ depth: Int, _ random: inout Seeded) -> JSONValue {
    let texts = ["", "a", "\"\\/\u{0}\n", "é😀", "1", "null"]
    switch Int.random(in: 0...(depth > 0 ? 6 : 4), using: &random) {
    case 0: return .null
    case 1: return .flag(random.oneIn(2))
    case 2:
      return .integer(
        random.oneIn(2) ? Int64.random(in: -5...5, using: &random) : Int64.random(in: .min ... .max, using: &random))
    case 3: return .number(Double(Int.random(in: -1_000_000...1_000_000, using: &random)) + 0.125)
    case 4: return .string(texts.randomElement(using: &random) ?? "")
    case 5: return .list((0..<Int.random(in: 0...3, using: &random)).map { _ in any(depth - 1, &random) })
    default:
      let keys = Set((0..<Int.random(in: 0...3, using: &random)).compactMap { _ in texts.randomElement(using: &random) }).sorted()
      return .object(keys.map { JSONValue.Field($0, any(depth - 1, &random)) })
    }
  }

  @Test("any value comes back from its text")
  func anyValue() {
    var random = Seeded()
    for _ in 0..<500 {
      let value = any(3, &random)
      #expect(JSONValue(json: value.bytes) == value, "\(random): \(String(decoding: value.bytes, as: UTF8.self))")
    }
  }

  @Test("an error is a message, an id, details and the time; one from before the service is a message alone")
  func errors() {
    let uuid = UUIDValue(high: 0, low: 1)
    #expect(
      String(decoding: APIError.noRecording(uuid).body(at: 1_772_438_400.25), as: UTF8.self)
        == "{\"message\":\"No recording found\",\"error_id\":\"recording-not-found\",\"details\":{\"recording_uuid\":\"\(uuid)\"},\"timestamp\":1772438400.25}"
    )
    let error = APIError(404, "x", "y", ["a": .null], resource: "things")
    #expect(
      String(decoding: error.body(at: 1), as: UTF8.self)
        == #"{"message":"y","error_id":"x","details":{"a":null},"timestamp":1.0,"resource":"things"}"#)
    #expect(String(decoding: APIError.noJSON.body(at: 1), as: UTF8.self).hasPrefix(#"{"message":""#))
    #expect(!String(decoding: APIError.noJSON.body(at: 1), as: UTF8.self).contains("error_id"))
  }

}

@Suite("Forms of answers")
struct AcceptHeaderTests {
  @Test(
    "CSV is given where it is taken more gladly than JSON, with its charset",
    arguments: [
      (nil, false), ("", false), ("*/*", false), ("text/csv", false), ("text/csv; charset=utf-8", true),
      ("text/csv;charset=utf-8", true), ("TEXT/CSV; Charset=UTF-8", true), ("text/csv; charset=\"utf-8\"", true),
      ("text/*", true),
      ("text/csv; charset=latin-1", false), ("text/csv; header=present", false), ("application/*", false),
      ("text/csv; charset=utf-8, application/json", false), ("application/json, text/csv; charset=utf-8", false),
      ("text/csv; charset=utf-8, application/json;q=0.9", true), ("application/json;q=0.5, text/csv; charset=utf-8; q=0.9", true),
      ("application/json, text/csv; charset=utf-8; q=0.9", false), ("text/csv; charset=utf-8; q=0", false),
      ("text/csv; charset=utf-8, */*;q=0.1", true), ("text/html, application/xml;q=0.9, */*;q=0.8", false), ("garbage", false),
      ("text/csv; charset=utf-8; q=nan", false), (",;,/,text/;q=,", false), ("text/*;q=0.9, text/csv; charset=utf-8;q=0", false),
    ] as [(String?, Bool)])
  func csv(header: String?, isCSV: Bool) {
    #expect(AcceptHeader(header).prefersCSV == isCSV)
  }
}
