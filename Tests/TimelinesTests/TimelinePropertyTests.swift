import TestSupport
import Testing

@testable import Timelines

@Suite("Whatever the events, a timeline is sound")
struct TimelinePropertyTests {
  /// Random rows: calls that are cut, doubled, mixed up, with and without their data.
  private static func rows(_ random: inout Seeded) -> [Told] {
    let channels = ["a", "b", "c", "Local/1@x-1;1", "Local/1@x-1;2", "CBAnn/r-1", ""]
    let kinds = EventKind.allCases.map(\.rawValue)
    return (0..<random.below(60)).map { _ in
      let bridge = random.pick(["b", "d", "p"])
      let extras = [
        nil, "", "{}", "[", #"{"bridge_id":"\#(bridge)"}"#, #"{"class":"default"}"#, #"{"bridge_id":7}"#,
        #"{"bridge_id":"\#(bridge)","bridge_technology":"\#(random.pick(["holding_bridge", "softmix", "simple_bridge"]))"}"#,
        #"{"transferee_channel_uniqueid":"1.b","pickup_channel":"PJSIP/c-1"}"#,
      ]
      let often = [
        "CHAN_START", "BRIDGE_ENTER", "BRIDGE_EXIT", "STREAM_BEGIN", "STREAM_END", "PARK_START", "ANSWER", "APP_START",
      ]
      return Told(
        random.oneIn(3) ? random.pick(kinds) : random.pick(often), Double(random.below(30)), random.pick(channels),
        linkedid: random.pick(["1.1", "1.b"]), name: random.pick(["", "Ann"]), exten: random.pick(["", "s", "102"]),
        application: random.pick(["", "Dial", "Queue", "VoiceMail", "Playback", "ConfBridge"]),
        peer: random.pick(["", "PJSIP/a-1", "PJSIP/b-1,PJSIP/c-1", ",,"]), extra: random.pick(extras))
    }
  }

  private static func check(_ timeline: Timeline, _ comment: String) {
    #expect(timeline.readings.count == timeline.events.count, "\(comment)")
    for reading in timeline.readings {
      #expect(timeline.channels.indices.contains(reading.channel), "\(comment)")
      #expect(reading.peers.allSatisfy { timeline.channels.indices.contains($0) }, "\(comment)")
    }
    for (place, channel) in timeline.channels.enumerated() {
      var last = channel.start
      for segment in channel.segments {
        #expect(segment.start >= last && segment.end > segment.start && segment.end <= channel.end, "\(comment) \(channel)")
        last = segment.end
        for peer in segment.peers {
          // Whom somebody talks with talks with them, all that time.
          #expect(peer != place, "\(comment)")
          let back = timeline.channels[peer].segments.filter { $0.peers.contains(place) }
          let covered = back.reduce(0) { $0 + max(0, min($1.end, segment.end) - max($1.start, segment.start)) }
          #expect(covered == segment.end - segment.start, "\(comment) \(story(timeline))")
        }
        #expect((segment.kind == .talking) == !segment.peers.isEmpty, "\(comment)")
      }
    }
  }

  @Test("Segments do not overlap, lie in the life of their channel, and who talks is talked with")
  func random() {
    var random = Seeded()
    let seed = random
    var talks = 0
    for number in 0..<3000 {
      let timeline = Timeline(events(TimelinePropertyTests.rows(&random)))
      TimelinePropertyTests.check(timeline, "\(seed), case \(number)")
      talks += timeline.channels.flatMap(\.segments).count { $0.kind == .talking }
    }
    #expect(talks > 100, "\(seed)")
  }

  @Test("The order in which events come does not matter")
  func order() {
    var random = Seeded()
    let seed = random
    for _ in 0..<300 {
      let made = events(TimelinePropertyTests.rows(&random))
      #expect(story(Timeline(made.shuffled(using: &random))) == story(Timeline(made)), "\(seed)")
    }
  }

  @Test("Simulated calls, also with events lost: in whole calls who answered has talked, or was in a conference")
  func simulated() throws {
    var random = Seeded()
    let seed = random
    let conversations = try simulatedConversations(calls: 400, seed: random.next() % 100_000)
    var kinds: Set<Timeline.Segment.Kind> = []
    for conversation in conversations {
      let whole = Timeline(conversation)
      TimelinePropertyTests.check(whole, "\(seed)")
      kinds.formUnion(whole.channels.flatMap(\.segments).map(\.kind))
      let entered = Set(whole.events.filter { $0.kind == .bridgeEnter }.map(\.uniqueid))
      for channel in whole.channels where whole.isWhole && channel.role != .local && entered.contains(channel.uniqueid) {
        #expect(channel.hasTalked, "\(seed) \(story(whole))")
      }
      TimelinePropertyTests.check(Timeline(conversation.filter { _ in !random.oneIn(4) }), "\(seed)")
    }
    #expect(kinds.isSuperset(of: [.ringing, .calling, .talking, .voicemail, .waiting, .conference]), "\(seed) \(kinds)")
  }
}
