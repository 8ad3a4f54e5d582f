import Testing

@testable import Simulation

@Suite("Every kind of call")
struct CallBuilderTests {
  /// Sixty scripts of a kind, each with whether it should give a call log.
  private func scripts(of kind: CallKind, seed: UInt64 = 11) -> [(script: CallScript, callLog: Bool)] {
    var random = RandomSource(seed: seed)
    let directory = SimulatedDirectory(users: 30, tenants: 3, random: &random)
    var builder = CallBuilder(directory: directory, random: random)
    return (0..<60).map { _ in
      let callLog = builder.build(kind, at: november)
      return (builder.script, callLog)
    }
  }

  @Test("begins with the caller's CHAN_START and is over within the longest call's time", arguments: CallKind.allCases)
  func bounds(kind: CallKind) {
    for (script, _) in scripts(of: kind) {
      #expect(script.rows.first?.event == .chanStart && script.rows.first?.channel == 0 && script.rows.first?.delay == 0)
      #expect(script.rows.allSatisfy { $0.delay >= 0 })
      #expect(script.rows.reduce(0) { $0 + $1.delay } < SimulationOptions.longestCall)
    }
  }

  @Test("starts each channel before its other rows, ends it once, and has nothing after that", arguments: CallKind.allCases)
  func channelLives(kind: CallKind) {
    for (script, callLog) in scripts(of: kind) {
      for channel in script.channels.indices {
        let events = script.rows.filter { $0.channel == channel && $0.event != .linkedidEnd }.map(\.event)
        #expect(events.first == .chanStart && events.count { $0 == .chanStart } == 1)
        guard kind != .unfinished else { continue }
        #expect(events.suffix(2) == [.hangup, .chanEnd] && events.count { $0 == .chanEnd } == 1)
      }
      let linkedids = Set(script.rows.map(\.look.linked))
      let ends = script.rows.filter { $0.event == .linkedidEnd }.map(\.look.linked)
      #expect(Set(ends).count == ends.count)
      if callLog { #expect(Set(ends) == linkedids) }
    }
  }

  @Test("leaves a bridge as often as it enters one, channel by channel", arguments: CallKind.allCases)
  func bridges(kind: CallKind) {
    guard kind != .unfinished else { return }
    for (script, _) in scripts(of: kind) {
      for channel in script.channels.indices {
        let rows = script.rows.filter { $0.channel == channel }
        #expect(rows.count { $0.event == .bridgeEnter } == rows.count { $0.event == .bridgeExit })
      }
    }
  }

  @Test(
    "has the events that make it what it is",
    arguments: [
      (.internalAnswered, [.destination, .bridgeEnter], [.incall, .outcall]),
      (.inboundAnswered, [.incall, .destination, .bridgeEnter], [.outcall]),
      (.outboundAnswered, [.outcall, .bridgeEnter], [.incall]),
      (.outboundUnanswered, [.outcall], [.bridgeEnter, .answer]),
      (.unanswered, [.destination], [.bridgeEnter, .answer]),
      (.abandoned, [.hangup], [.incall, .answer, .appStart]),
      (.busy, [.userForward, .missedCall], [.bridgeEnter, .answer]),
      (.forwardedAlways, [.userForward, .missedCall, .bridgeEnter], []),
      (.forwardedUnanswered, [.userForward, .missedCall, .bridgeEnter], []),
      (.group, [.destination, .answer, .bridgeEnter], [.incall]),
      (.groupUnanswered, [.destination, .answer], [.bridgeEnter]),
      (.inboundVoicemail, [.incall, .missedCall, .answer], [.bridgeEnter]),
      (.internalVoicemail, [.missedCall, .answer], [.bridgeEnter, .incall]),
      (.conference, [.conference, .destination, .bridgeEnter], []),
      (.meeting, [.meetingName, .destination, .bridgeEnter], []),
      (.pickup, [.pickup, .bridgeEnter], []),
      (.attendedTransfer, [.attendedTransfer, .bridgeEnter], []),
      (.blindTransfer, [.blindTransfer, .bridgeEnter], []),
      (.originate, [.allLines], [.destination]),
      (.recorded, [.mixMonitorStart, .bridgeEnter], []),
      (.blocked, [.incall, .blockedCall], [.destination, .answer]),
      (.mobile, [.destination, .bridgeEnter], [.allLines]),
      (.chat, [.appStart], [.answer, .bridgeEnter]),
    ] as [(CallKind, [CELEvent], [CELEvent])])
  func events(kind: CallKind, needed: [CELEvent], never: [CELEvent]) {
    for (script, _) in scripts(of: kind) {
      let events = Set(script.rows.map(\.event))
      #expect(events.isSuperset(of: needed) && events.isDisjoint(with: never))
    }
  }

  @Test("gives a call log, but for chat and for some originated and unfinished calls", arguments: CallKind.allCases)
  func callLogs(kind: CallKind) {
    let logs = scripts(of: kind).count(where: \.callLog)
    switch kind {
    case .chat: #expect(logs == 0)
    case .originate, .unfinished: #expect((1..<60).contains(logs))
    default: #expect(logs == 60)
    }
  }

  @Test("goes to people of one tenant, none of them twice")
  func distinctPeople() {
    for kind in [CallKind.internalAnswered, .pickup, .blindTransfer, .group] {
      for (script, _) in scripts(of: kind) {
        let names = script.channels.filter { $0.naming == .numbered }.map {
          script.bytes[Int($0.interface.start)..<Int($0.interface.start + $0.interface.count)]
        }
        #expect(Set(names).count == names.count, "\(kind)")
      }
    }
  }
}
