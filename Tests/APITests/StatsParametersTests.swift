import API
import Listing
import TestSupport
import Testing
import Values

@Suite("Parameters of statistics")
struct StatsParametersTests {
  private func read(_ query: String, _ scope: ListScope = .everybody) throws -> StatsParameters {
    try StatsParameters(QueryString(query), scope: scope, zone: .utc, now: 0)
  }

  private func question(_ query: String) throws -> CallLogStatistics.Question {
    var found: CallLogStatistics.Question?
    _ = try read(query).answer(tenants: .all) { _, question in
      found = question
      return CallLogStatistics()
    }
    return try #require(found)
  }

  private func refusal(_ query: String) -> String {
    do {
      _ = try read(query)
      return "accepted"
    } catch let error as APIError {
      #expect(error.status == 400 && error.id == "invalid-data")
      return String(decoding: error.details.bytes, as: UTF8.self)
    } catch {
      return "\(error)"
    }
  }

  @Test("nothing asks for all parts, ten numbers, and periods that fit")
  func nothing() throws {
    let question = try question("")
    #expect(question.by == nil && question.parts == Set(CallLogStatistics.Part.allCases) && question.top == 10)
    #expect(question.zone.name == "UTC")
  }

  @Test("each parameter reaches the question, and filters are those of a list")
  func parameters() throws {
    let question = try question("by=week&timezone=Europe/Paris&parts=top,calls&top=0")
    #expect(
      question.by == .week && question.zone.name == "Europe/Paris" && question.parts == [.calls, .top] && question.top == 0)
    let text =
      "search=ann&call_direction=inbound&call_status=voicemail&number=_101&tags=sales&from_id=12&recorded=no&distinct=peer_exten"
    let selection = try read(text).selection
    let list = try ListParameters(QueryString(text), scope: .everybody, zone: .utc).selection
    #expect("\(selection)" == "\(list)")
    #expect(try read("recurse=true").isRecursive)
    let user = UUIDValue(high: 1, low: 2)
    let own = try read("recurse=true", .me(user))
    #expect(!own.isRecursive && own.selection.participant == user)
  }

  @Test("times without a zone are in the zone of the request")
  func zone() throws {
    #expect(
      try read("from=2024-07-01T02:00&timezone=Europe/Paris").selection.from
        == (try read("from=2024-07-01T00:00Z").selection.from))
    #expect(try read("from=2024-07-01T02:00").selection.from == (try read("from=2024-07-01T02:00Z").selection.from))
  }

  @Test("bad parameters are named all at once")
  func bad() {
    let text = refusal("by=minute&timezone=Mars/Base&parts=calls,cats&top=51&from=x&call_status=happy")
    for name in ["by", "timezone", "parts", "top", "from", "call_status"] { #expect(text.contains("\"\(name)\":"), "\(text)") }
    #expect(refusal("parts=") != "accepted" && refusal("timezone=") != "accepted" && refusal("top=-1") != "accepted")
    #expect(refusal("by=hour&timezone=UTC&parts=talk&top=50") == "accepted")
  }

  @Test("too many periods are a bad request that says what to do")
  func tooMany() throws {
    let parameters = try read("")
    do {
      _ = try parameters.answer(tenants: .all) { _, _ in throw CallLogStatistics.TooManyPeriods(by: .hour, most: 400) }
      Issue.record("it was answered")
    } catch let error as APIError {
      #expect(error.status == 400 && error.id == "invalid-data")
      let text = String(decoding: error.details.bytes, as: UTF8.self)
      #expect(text.contains("\"by\"") && text.contains("400") && text.contains("longer"))
    }
  }
}
