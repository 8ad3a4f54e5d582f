import CallLogs
import TestSupport
import Testing

@testable import Timelines

@Suite("Why a call log is what it is")
struct ReasonTests {
  private let rows: [Told] =
    [
      Told("CHAN_START", 0, "a", name: "Ann", number: "101", exten: "102"), Told("APP_START", 1, "a", application: "Dial"),
      Told("CHAN_START", 2, "b", number: "102"), Told("ANSWER", 5, "b"), Told("ANSWER", 5, "a"), .enter(6, "b"),
      .enter(7, "a"), .exit(20, "b"), .exit(20, "a"),
    ] + Told.end(20, "b") + Told.end(21, "a") + [Told("LINKEDID_END", 21, "a")]

  private func reasons(
    _ rows: [Told], start: Int64 = 0, answer: Int64? = 7_000_000, end: Int64? = 21_000_000, direction: String = "internal"
  ) -> CallReasons {
    CallReasons(
      events(rows), conversation: "1.1",
      stored: CallReasons.Stored(start: start, answer: answer, end: end, direction: direction))
  }

  @Test("Start, answer and end are the events that gave them; without a word of the dialplan a call is internal")
  func origins() {
    let why = reasons(rows)
    #expect(why.verdict == .callLog && why.linkedids == ["1.1"] && why.differing == [])
    #expect(why.start.event == 1 && why.start.kind == .chanStart)
    // The caller's entry, not the callee's.
    #expect(why.answer.event == 7 && why.end.event == 13)
    #expect(why.direction.event == nil)
    #expect(why.readings[1] == .caller && why.readings[3] == .callee)
    let outside = reasons(rows + [Told("XIVO_OUTCALL", 0.5, "a", extra: #"{"extra":""}"#)], direction: "outbound")
    #expect(outside.direction.kind == .outcall && outside.direction.event == 15 && outside.differing == [])
  }

  @Test("Nobody answered where the caller entered no bridge, though a channel has an ANSWER")
  func unanswered() {
    let why = reasons(rows.filter { !$0.kind.hasPrefix("BRIDGE") }, answer: nil)
    #expect(why.answer.event == nil && why.verdict == .callLog && why.differing == [])
  }

  @Test("A call without LINKEDID_END was closed, and what the events do not give is named")
  func closed() {
    #expect(reasons(Array(rows.dropLast())).verdict == .closed)
    #expect(reasons(rows, answer: 5_000_000, direction: "inbound").differing == [.answer, .direction])
    let poor = reasons(rows.filter { $0.channel == "b" && $0.kind != "CHAN_START" })
    #expect(poor.verdict == .nothing("no event gives the call a beginning"))
    #expect(reasons([]).verdict == .nothing(""))
  }
}
