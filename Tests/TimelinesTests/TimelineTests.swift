import Testing

@testable import Timelines

@Suite("A timeline tells what each channel did")
struct TimelineTests {
  private let call: [Told] =
    [
      Told("CHAN_START", 0, "a", name: "Ann", number: "101", exten: "102"),
      Told("APP_START", 1, "a", application: "Dial"),
      Told("CHAN_START", 2, "b", name: "Ben", number: "102", exten: "s"),
      Told("ANSWER", 5, "b"), Told("ANSWER", 5, "a"),
      .enter(6, "b"), .enter(6, "a", peer: "PJSIP/b-1"),
    ]

  private func end(_ seconds: Double) -> [Told] {
    [.exit(seconds, "b"), .exit(seconds, "a")] + Told.end(seconds, "b", "a") + [Told("LINKEDID_END", seconds, "a")]
  }

  @Test("An answered call: one calls while the other rings, and both talk")
  func answered() {
    let timeline = Timeline(events(call + end(20)))
    #expect(story(timeline) == ["a: calling 1-6, talking 6-20 b", "b: ringing 2-5, talking 6-20 a"])
    #expect(timeline.channels.map(\.role) == [.caller, .callee])
    #expect(timeline.channels.map(\.ownerName) == ["Ann", "Ben"])
    #expect(timeline.isWhole && timeline.missingEnds.isEmpty)
    let meanings = timeline.readings.map(\.meaning)
    #expect(meanings.starts(with: [.callStarts, .applicationStarts, .rings, .answers, .answers, .entersBridge, .talks]))
    #expect(timeline.readings[0].detail == "102" && timeline.readings[6].peers == [1])
  }

  @Test("Music in a bridge is a hold, for both; music anywhere else is none")
  func hold() {
    let music = #"{"class":"default"}"#
    let held = Timeline(
      events(
        [Told("STREAM_BEGIN", 0.5, "a", extra: music), Told("STREAM_END", 0.8, "a")] + call
          + [Told("STREAM_BEGIN", 8, "b", extra: music), Told("STREAM_END", 12, "b")] + end(20)))
    #expect(
      story(held) == [
        "a: calling 1-6, talking 6-8 b, hold 8-12, talking 12-20 b", "b: ringing 2-5, talking 6-8 a, hold 8-12, talking 12-20 a",
      ])
    #expect(held.readings.filter { $0.meaning == .isHeld }.count == 1)
    #expect(held.readings.filter { $0.meaning == .holdEnds }.count == 1)
    let own = Timeline(events(call + [Told("HOLD", 8, "b"), Told("UNHOLD", 12, "b")] + end(20)))
    #expect(story(own) == story(held))
  }

  @Test("A blind transfer: the one who transfers leaves, and the other calls the next")
  func blindTransfer() {
    let transfer = #"{"extension":"103","transferee_channel_name":"PJSIP/a-1","transferee_channel_uniqueid":"1.1"}"#
    let timeline = Timeline(
      events(
        call + [Told("BLINDTRANSFER", 10, "b", extra: transfer), .exit(10, "b"), .exit(10, "a")] + Told.end(10, "b") + [
          Told("APP_START", 11, "a", application: "Dial"), Told("CHAN_START", 12, "c", name: "Cleo", number: "103"),
          Told("ANSWER", 14, "c"), .enter(14, "c", "d"), .enter(14, "a", "d"), .exit(20, "c", "d"), .exit(20, "a", "d"),
        ] + Told.end(20, "c", "a") + [Told("LINKEDID_END", 20, "a")]))
    #expect(
      story(timeline) == [
        "a: calling 1-6, talking 6-10 b, calling 11-14, talking 14-20 c", "b: ringing 2-5, talking 6-10 a",
        "c: ringing 12-14, talking 14-20 a",
      ])
    let reading = timeline.readings.first { $0.meaning == .transfersBlindly }
    #expect(reading?.detail == "103" && reading?.peers == [0] && reading?.channel == 1)
  }

  @Test("Two who are connected through a pair of Local channels talk with each other")
  func throughLocal() {
    let timeline = Timeline(
      events(
        [
          Told("CHAN_START", 0, "a", number: "101", exten: "102"), Told("CHAN_START", 1, "Local/102@in-1;1"),
          Told("CHAN_START", 1, "Local/102@in-1;2"), Told("CHAN_START", 2, "b", number: "102"), Told("ANSWER", 4, "b"),
          .enter(4, "b", "inner"), .enter(4, "Local/102@in-1;2", "inner"), .enter(5, "Local/102@in-1;1", "outer"),
          .enter(5, "a", "outer"), .exit(9, "a", "outer"),
        ] + Told.end(10, "a", "b")))
    #expect(
      story(timeline).filter { !$0.hasPrefix("Local") } == [
        "a: talking 5-9 b", "b: ringing 2-4, alone 4-5, talking 5-9 a, alone 9-10",
      ])
  }

  @Test("Who waits behind a Local channel for an answer is calling")
  func callingBehindLocal() {
    let timeline = Timeline(
      events(
        [
          Told("CHAN_START", 0, "a", number: "101", exten: "102"), Told("CHAN_START", 1, "Local/102@in-1;1"),
          Told("CHAN_START", 1, "Local/102@in-1;2", exten: "102"), .enter(2, "Local/102@in-1;1", "outer"),
          .enter(2, "a", "outer"),
          Told("APP_START", 3, "Local/102@in-1;2", application: "Dial"), Told("CHAN_START", 3, "b", number: "102"),
        ] + Told.end(8, "b") + Told.end(9, "Local/102@in-1;2") + Told.end(10, "a")))
    #expect(story(timeline)[0] == "a: alone 2-3, calling 3-9, alone 9-10")
  }

  @Test("Queue, mailbox, parking and conference have their own words")
  func others() {
    let queue = Timeline(
      events([Told("CHAN_START", 0, "a"), Told("APP_START", 1, "a", application: "Queue")] + Told.end(9, "a")))
    #expect(story(queue) == ["a: waiting 1-9"] && queue.readings[1].meaning == .entersQueue)
    let mailbox = Timeline(
      events([Told("CHAN_START", 0, "a"), Told("APP_START", 1, "a", application: "VoiceMail")] + Told.end(9, "a")))
    #expect(story(mailbox) == ["a: voicemail 1-9"])
    let parked = Timeline(
      events(
        call + [
          .exit(8, "a"), .enter(8, "a", "p", technology: "holding_bridge"), Told("PARK_START", 8, "a"), Told("PARK_END", 11, "a"),
        ]
          + end(12)))
    #expect(story(parked)[0] == "a: calling 1-6, talking 6-8 b, parked 8-11, waiting 11-12")
    let room = Timeline(events([Told("CHAN_START", 0, "a"), .enter(1, "a", "room", technology: "softmix")] + Told.end(9, "a")))
    #expect(story(room) == ["a: conference 1-9"])
  }

  @Test("Bridges without an id are told apart by the names of those who are there")
  func withoutExtra() {
    let bare = (call + end(20)).map { row in
      var row = row
      row.extra = nil
      return row
    }
    #expect(story(Timeline(events(bare))) == ["a: calling 1-6, talking 6-20 b", "b: ringing 2-5, talking 6-20 a"])
  }

  @Test("Event numbers of a plain Asterisk are read as names are")
  func numbers() {
    let numbers = [
      "CHAN_START": "1", "CHAN_END": "2", "HANGUP": "3", "ANSWER": "4", "APP_START": "5", "BRIDGE_ENTER": "7",
      "BRIDGE_EXIT": "8", "LINKEDID_END": "14",
    ]
    let plain = (call + end(20)).map { row in
      var row = row
      row.kind = numbers[row.kind] ?? row.kind
      return row
    }
    let (named, numbered) = (Timeline(events(call + end(20))), Timeline(events(plain)))
    #expect(story(numbered) == story(named))
    #expect(numbered.events.map(\.name) == named.events.map(\.name))
  }

  @Test("Missing ends are said, and draw nothing beyond the last event")
  func unfinished() {
    let timeline = Timeline(events(call))
    #expect(story(timeline) == ["a: calling 1-6", "b: ringing 2-5"])
    #expect(!timeline.isWhole && timeline.missingEnds == ["1.1"])
    #expect(timeline.channels.allSatisfy { !$0.hasEnd })
    let cut = Timeline(events(Array((call + end(20)).dropFirst(3))))
    #expect(!cut.isWhole && cut.missingEnds.isEmpty && cut.channels.allSatisfy { $0.role == .unknown })
    #expect(Timeline([]).channels.isEmpty && !Timeline([]).isWhole)
  }
}
