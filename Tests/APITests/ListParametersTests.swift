import API
import CallLogs
import Listing
import TestSupport
import Testing
import Values

@Suite("Parameters of lists")
struct ListParametersTests {
  private static let user = UUIDValue(high: 0x7000_0000_0000_4000, low: 0x8000_0000_0000_0001)

  private func read(_ query: String, _ scope: ListScope = .everybody) throws -> ListParameters {
    try ListParameters(QueryString(query), scope: scope, zone: .utc)
  }

  /// The details of the refusal, as JSON.
  private func refusal(_ query: String, _ scope: ListScope = .everybody) -> String {
    do {
      _ = try read(query, scope)
      return "accepted"
    } catch let error as APIError {
      #expect(error.status == 400 && error.id == "invalid-data" && error.message == "Sent data is invalid")
      return String(decoding: error.details.bytes, as: UTF8.self)
    } catch {
      return "\(error)"
    }
  }

  @Test("nothing asks for the newest thousand, blocked ones left out")
  func nothing() throws {
    let parameters = try read("colour=blue")
    #expect(parameters.order == CallLogOrder(by: .start, isAscending: false))
    #expect(parameters.limit == 1000 && parameters.offset == 0 && !parameters.isRecursive && parameters.format == nil)
    #expect(parameters.selection.statuses == nil && parameters.selection.tenants.isEmpty && parameters.selection.search == nil)
  }

  @Test("each parameter reaches its filter")
  func filters() throws {
    let parameters = try read(
      "from=2000-01-01T00:00:01&until=2000-01-01T00:00:02Z&limit=7&offset=3&order=duration&direction=asc&search=ann"
        + "&call_direction=inbound&call_status=voicemail&number=_101&tags=sales,night&user_uuid=\(Self.user)&from_id=12"
        + "&recurse=true&distinct=peer_exten&recorded=no&format=csv&conversation_id=1700000000.17"
        + "&requested_internal_extension=_101&requested_internal_context=inside")
    let selection = parameters.selection
    #expect(selection.from == 1_000_000 && selection.to == 2_000_000 && parameters.limit == 7 && parameters.offset == 3)
    #expect(parameters.order == CallLogOrder(by: .duration, isAscending: true) && selection.search == .text("ann"))
    #expect(selection.direction == .inbound && selection.statuses == [.voicemail] && selection.number == "_101")
    #expect(selection.tags == ["sales", "night"] && selection.users == [Self.user] && selection.firstID == 12)
    #expect(parameters.isRecursive && selection.isLatestOfPeer && selection.isRecorded == false && parameters.format == .csv)
    #expect(selection.conversation == "1700000000.17" && selection.requestedInternalExtension == "_101")
    #expect(selection.requestedInternalContext == "inside" && selection.participant == nil)
  }

  @Test("a place and a way to count are read, and either makes the answer tell more")
  func places() throws {
    let plain = try read("limit=3")
    #expect(plain.after == nil && plain.count == .exact && !plain.tellsMore)
    let beginning = try read("after=")
    #expect(beginning.after == nil && beginning.tellsMore)
    let place = CallLogSelection.Place(start: -5, id: 7)
    #expect(try read("after=\(place.word)&count=none").after == place)
    #expect(try read("count=bounded").count == .bounded && read("count=bounded").tellsMore)
    #expect(refusal("after=5&count=all") != "accepted" && refusal("after=1_2&order=duration").contains("after"))
    #expect(try read("after=1_2&order=start&direction=asc").after != nil)
  }

  @Test("a limit of 0 is none, and an empty search finds everything")
  func zero() throws {
    #expect(try read("limit=0").limit == nil)
    #expect(try read("limit=02&search=").limit == 2)
    #expect(try read("search=").selection.search == nil)
    #expect(try read("limit=9223372036854775807&offset=9223372036854775807").offset == .max)
  }

  @Test("a tag that is named twice counts once, and a hundred tags are enough")
  func tags() throws {
    #expect(try read("tags=sales,night,sales,").selection.tags == ["sales", "night", ""])
    let many = (0..<100).map(String.init).joined(separator: ",")
    #expect(try read("tags=\(many),7").selection.tags.count == 100)
    #expect(refusal("tags=\(many),100").hasPrefix(#"{"tags":[{"message":"Longer than maximum length 100.""#))
  }

  @Test("the path of a user says whose, and the query cannot; for oneself it can narrow, but not widen")
  func scopes() throws {
    let other = UUIDValue(high: 9, low: 9)
    let ofUser = try read("user_uuid=&recurse=1", .user(Self.user))
    #expect(ofUser.selection.users == [Self.user] && ofUser.isRecursive && ofUser.selection.participant == nil)
    let own = try read("user_uuid=\(other)&recurse=1", .me(Self.user))
    #expect(own.selection.users == [other] && own.selection.participant == Self.user && !own.isRecursive)
    #expect(refusal("recurse=x", .me(Self.user)) != "accepted")
  }

  @Test("every field but lists and objects is a key to sort by", arguments: CallLogOrder.Key.allCases)
  func keys(key: CallLogOrder.Key) throws {
    #expect(try read("order=\(key.rawValue)").order == CallLogOrder(by: key, isAscending: false))
  }

  @Test("sortable are the fields that JSON shows, without the end, tags, details and recordings")
  func allKeys() {
    let shown = CallLogField.all.filter(\.isInJSON).map(\.name.text.string)
    #expect(
      Set(CallLogOrder.Key.allCases.map(\.rawValue))
        == Set(shown).subtracting(["end", "tags", "destination_details", "recordings"]))
    #expect(refusal("order=end").contains("\"destination_details\""))
    #expect(!refusal("order=destination_details").contains("\"destination_details\""))
  }

  @Test(
    "words for yes and no are small, large, or begin large",
    arguments: [
      ("true", true), ("True", true), ("TRUE", true), ("t", true), ("T", true), ("yes", true), ("Yes", true), ("y", true),
      ("on", true), ("1", true), ("false", false), ("False", false), ("F", false), ("NO", false), ("n", false), ("Off", false),
      ("0", false),
    ])
  func flags(word: String, flag: Bool) throws {
    #expect(try read("recurse=\(word)").isRecursive == flag)
    #expect(try read("recorded=\(word)").selection.isRecorded == flag)
  }

  private static let noInteger = #"{"message":"Not a valid integer.","constraint_id":"type","constraint":"integer"}"#
  private static let noFlag = #"{"message":"Not a valid boolean.","constraint_id":"type","constraint":"boolean"}"#
  private static let noTime = #"{"message":"Not a valid datetime","constraint_id":"type","constraint":"datetime"}"#
  private static let noList = #"{"message":"Not a valid list.","constraint_id":"type","constraint":"list"}"#
  private static let belowZero =
    #"[{"message":"Must be greater than or equal to 0.","constraint_id":"range","constraint":{"min":0}}]"#
  private static let noNumber =
    #"[{"message":"String does not match expected pattern.","constraint_id":"regex","constraint":"^_?[0-9]+_?$"}]"#
  private static let noConversation =
    #"[{"message":"not a valid conversation identifier","constraint_id":"regex","constraint":"^[0-9]+\\.[0-9]+$"}]"#
  private static let noContext =
    #"[{"message":"Length must be between 1 and 255.","constraint_id":"length","constraint":{"min":1,"max":255}}]"#
  private static let noDirection =
    #"[{"message":"Must be one of: internal, inbound, outbound.","constraint_id":"enum","constraint":{"choices":["internal","inbound","outbound"]}}]"#
  private static let noStatus =
    #"{"message":"Must be one of: answered, blocked, voicemail, unknown.","constraint_id":"type","constraint":"enum"}"#
  private static let noUUID = #"{"message":"Not a valid UUID.","constraint_id":"type","constraint":"uuid"}"#

  private static let bad: [(name: String, values: [String], details: String)] = [
    ("limit", ["", "x", "1.5", "1e3", "%2B2", "%202", "2%20", "-0", "1_0", "%D9%A2", "-", "0x10", "%ff"], noInteger),
    ("limit", ["-1", "-99999999999999999999"], belowZero),
    ("offset", ["", "null"], noInteger),
    ("from_id", ["", "abc"], noInteger),
    ("from_id", ["-3"], belowZero),
    ("recurse", ["", "maybe", "tRUE", "2", "yES", "-1"], noFlag),
    ("recorded", ["", "null"], noFlag),
    ("from", ["", "2026-03-02", "yesterday"], noTime),
    ("until", ["", "12:00"], noTime),
    ("tags", [""], noList),
    ("user_uuid", [""], noList),
    ("user_uuid", ["12"], "{\"0\":\(noUUID)}"),
    ("user_uuid", ["\(user),", "\(user),%20\(user)", "\(user),x"], "{\"1\":\(noUUID)}"),
    ("number", ["", "_", "__", "abc", "%2B33", "*98", "4%205", "_1_2", "12%0A"], noNumber),
    ("requested_internal_extension", ["", "*98"], noNumber),
    ("conversation_id", ["", "1", "1.", ".1", "1.2.3", "-1.2", "1.2%0A", "1,2"], noConversation),
    ("requested_internal_context", ["", String(repeating: "c", count: 256)], noContext),
    ("call_direction", ["", "INBOUND", "in"], noDirection),
    ("call_status", ["", "ANSWERED", "answered,unknown", "missed"], noStatus),
  ]

  @Test("a bad value is refused with what is wrong with it, in the form that clients know")
  func badValues() {
    for (name, values, details) in Self.bad {
      for value in values { #expect(refusal("\(name)=\(value)") == "{\"\(name)\":\(details)}", "\(name)=\(value)") }
    }
  }

  @Test("words that are none of the choices are refused with the choices")
  func choices() {
    for (query, choices) in [
      ("direction=up", ["asc", "desc"]), ("direction=", ["asc", "desc"]), ("distinct=peer", ["peer_exten"]),
      ("format=CSV", ["csv", "json"]),
    ] {
      let quoted = choices.map { "\"\($0)\"" }.joined(separator: ",")
      #expect(refusal(query).contains("\"constraint_id\":\"enum\",\"constraint\":{\"choices\":[\(quoted)]}"), "\(query)")
      #expect(refusal(query).contains("\"Must be one of: \(choices.joined(separator: ", ")).\""), "\(query)")
    }
  }

  @Test("what the database cannot hold is refused, and never a fault")
  func unholdable() {
    for query in [
      "limit=9223372036854775808", "offset=9223372036854775808", "limit=999999999999999999999999999999", "from_id=2147483648",
      "search=%00", "search=a%00b", "search=%ff", "tags=a%00", "requested_internal_context=%00",
      "search=x-2147483648-00000000-0000-4000-8000-000000000000.wav",
    ] {
      #expect(refusal(query).hasPrefix("{\"\(query.prefix { $0 != "=" })\":"), "\(query)")
    }
  }

  @Test("all bad parameters are told together")
  func together() {
    #expect(
      refusal("limit=x&search=a&from=y&recorded=z&format=json")
        == "{\"from\":\(Self.noTime),\"recorded\":\(Self.noFlag),\"limit\":\(Self.noInteger)}")
  }

  @Test("no query string is a fault")
  func anyQuery() {
    var random = Seeded()
    let names = [
      "from", "until", "limit", "offset", "order", "direction", "search", "call_direction", "call_status", "number", "tags",
      "user_uuid", "from_id", "recurse", "distinct", "recorded", "format", "conversation_id", "requested_internal_extension",
      "requested_internal_context",
    ]
    for _ in 0..<2000 {
      let query = (0..<Int.random(in: 0...4, using: &random)).map { _ in
        let value = (0..<Int.random(in: 0...8, using: &random)).compactMap { _ in
          ["0", "9", "-", "_", ".", ":", "%", "%00", "%ff", "T", "Z", "+", "%2B", "a", "é", ",", "2026-03-02T08:00"]
            .randomElement(using: &random)
        }
        return (names.randomElement(using: &random) ?? "") + "=" + value.joined()
      }.joined(separator: "&")
      let first = refusal(query)
      #expect(first == refusal(query), "\(random)")
    }
  }
}

@Suite("Parameters of exports")
struct ExportParametersTests {
  private func read(_ query: String) throws -> ExportParameters { try ExportParameters(QueryString(query), zone: .utc) }

  @Test("filters are those of lists; order, page and status are nobody's")
  func filters() throws {
    let parameters = try read("limit=x&order=y&call_status=z&tags=a&from_id=3&recurse=1&email=ann%40example.org")
    #expect(parameters.selection.tags == ["a"] && parameters.selection.firstID == 3 && parameters.selection.statuses == nil)
    #expect(parameters.isRecursive && parameters.email == "ann@example.org")
    #expect(try read("").email == nil)
    #expect(throws: APIError.self) { try read("from_id=x") }
  }

  @Test(
    "an address of e-mail is one that a mail can be sent to",
    arguments: [
      ("ann@example.org", true), ("ann.lee+calls@mail.example.co.uk", true), ("a@localhost", true), ("o'neil@example.org", true),
      ("a@b", false), ("abcd", false), ("", false), ("@example.org", false), ("ann@", false), ("ann@@example.org", false),
      (".ann@example.org", false), ("ann.@example.org", false), ("an..n@example.org", false), ("ann@-example.org", false),
      ("ann@example.org.", false), ("ann@example.o", false), ("ann lee@example.org", false),
      ("ann@example.org\r\nBcc: x@y.zz", false),
      ("ann@exam_ple.org", false), (String(repeating: "a", count: 65) + "@example.org", false),
    ])
  func email(text: String, isOne: Bool) {
    #expect(EmailAddress.isOne(text) == isOne)
  }

  @Test("a bad address is told as one")
  func badAddress() throws {
    let error = #expect(throws: APIError.self) { try read("email=abcd") }
    #expect(
      error.map { String(decoding: $0.details.bytes, as: UTF8.self) }
        == #"{"email":[{"message":"Not a valid email address.","constraint_id":"type","constraint":"email"}]}"#)
  }
}
