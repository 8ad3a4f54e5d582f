import Foundation
import Simulation
import Testing

@Suite("The kinds of calls look like the real ones")
struct CallShapeTests {
  private let groups: [[CELRow]]

  init() throws {
    groups = try crowdFile.get().groups
  }

  private func groups(with event: String) -> [[CELRow]] {
    groups.filter { $0.contains { $0.event == event } }
  }

  private func json(_ row: CELRow) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(row["extra"].utf8)) as? [String: Any], "CEL \(row["id"])")
  }

  /// The payload of a user event.
  private func payload(_ row: CELRow) throws -> String {
    try #require(try json(row)["extra"] as? String, "CEL \(row["id"])")
  }

  @Test("every extra is JSON, and the events that carry one have it")
  func extras() throws {
    let needed = [
      "BRIDGE_ENTER": "bridge_id", "BRIDGE_EXIT": "bridge_technology", "HANGUP": "hangupcause", "XIVO_INCALL": "extra",
    ]
    for row in groups.joined() where needed[row.event] != nil || !row["extra"].isEmpty {
      let object = try json(row)
      if let key = needed[row.event] { #expect(object[key] != nil, "CEL \(row["id"])") }
    }
  }

  @Test("user events name themselves and their payload in appdata as well")
  func userEvents() throws {
    var seen = 0
    for row in groups.joined() where row["appname"] == "CELGenUserEvent" {
      #expect(row["appdata"] == "\(row.event),\(try payload(row))")
      seen += 1
    }
    #expect(seen > 2000)
  }

  @Test("channel names end in a number and are unique, but for chat")
  func channelNames() throws {
    let names = groups.joined().filter { $0.event == "CHAN_START" }.map { $0["channame"] }
    let form = /(PJSIP\/[a-z0-9]+-[0-9a-f]{8}|Local\/[-a-z0-9]+@[a-z_]+-[0-9a-f]{8};[12]|Message\/ast_msg_queue)/
    for name in names { #expect(name.wholeMatch(of: form) != nil, "\(name)") }
    let numbered = names.filter { !$0.hasPrefix("Message/") }
    #expect(Set(numbered).count == numbered.count)
  }

  @Test("a paused recording goes on in the same file with a new mixmonitor id")
  func recordingPauses() throws {
    var paused = 0
    var unstopped = 0
    for group in groups(with: "MIXMONITOR_START") {
      let starts = try group.filter { $0.event == "MIXMONITOR_START" }.map(json)
      let stops = try group.filter { $0.event == "MIXMONITOR_STOP" }.map(json)
      let files = Set(starts.compactMap { $0["filename"] as? String })
      let ids = starts.compactMap { $0["mixmonitor_id"] as? String }
      #expect(files.count == 1 && Set(ids).count == starts.count)
      #expect(files.first?.wholeMatch(of: /\/var\/lib\/wazo\/sounds\/tenants\/[-0-9a-f]{36}\/monitor\/[-0-9a-f]{36}\.wav/) != nil)
      #expect(stops.compactMap { $0["mixmonitor_id"] as? String } == Array(ids.prefix(stops.count)))
      #expect(starts.count - stops.count <= 1)
      if starts.count > 1 { paused += 1 }
      if starts.count > stops.count { unstopped += 1 }
    }
    #expect(paused > 0 && unstopped > 0)
  }

  @Test(
    "pickups and attended transfers have two linkedids that share a channel, and both end",
    arguments: ["PICKUP", "ATTENDEDTRANSFER"])
  func twoLinkedids(event: String) throws {
    let calls = groups(with: event)
    #expect(calls.count > 0)
    for group in calls {
      #expect(Set(group.map(\.linkedid)).count == 2)
      #expect(group.count { $0.event == "LINKEDID_END" } == 2)
      #expect(Dictionary(grouping: group, by: \.uniqueid).values.contains { Set($0.map(\.linkedid)).count == 2 })
    }
  }

  @Test("what extra says about other channels is their real name and uniqueid")
  func channelReferences() throws {
    var seen = 0
    for group in groups {
      let names = Set(group.map { $0["channame"] })
      let uniqueids = Set(group.map(\.uniqueid))
      for row in group where !row["extra"].isEmpty {
        for case (let key, let value as String) in try json(row) where !value.isEmpty {
          if key.hasSuffix("_name") || key == "hangupsource" || key == "pickup_channel" { #expect(names.contains(value)) }
          if key.hasSuffix("_uniqueid") { #expect(uniqueids.contains(value)) }
          seen += 1
        }
      }
      for peer in group.flatMap({ $0["peer"].split(separator: ",") }) { #expect(names.contains(String(peer))) }
    }
    #expect(seen > 2000)
  }

  @Test("a mailbox is reached by VoiceMail after the call was missed, from outside and inside")
  func voicemail() throws {
    let calls = groups.filter { $0.contains { $0["appname"] == "VoiceMail" } }
    #expect(calls.count > 0)
    for group in calls {
      let events = group.map(\.event)
      #expect(events.contains("WAZO_USER_MISSED_CALL") && !events.contains("BRIDGE_ENTER"))
    }
    #expect(calls.contains { $0.contains { $0.event == "XIVO_INCALL" } })
    #expect(calls.contains { !$0.contains { $0.event == "XIVO_INCALL" } })
  }

  @Test("a missed call's payload has six fields, percent-encoded names among them")
  func missedCalls() throws {
    var encoded = 0
    for row in groups.joined() where row.event == "WAZO_USER_MISSED_CALL" {
      let fields = try payload(row).split(separator: ",").map { $0.split(separator: ": ", omittingEmptySubsequences: false) }
      #expect(fields.count == 6 && fields.allSatisfy { $0.count == 2 }, "CEL \(row["id"])")
      let name = try #require(fields.last?.last?.removingPercentEncoding)
      if name.contains(",") || name.contains("\"") || !name.utf8.allSatisfy({ $0 < 128 }) { encoded += 1 }
    }
    #expect(encoded > 0)
  }

  @Test("click to call begins with a Local pair: CHAN_START, then ANSWER on the first channel")
  func originate() {
    let calls = groups.filter { $0[0]["channame"].hasPrefix("Local/") }
    #expect(calls.count > 0)
    for group in calls {
      let starts = group.filter { $0.event == "CHAN_START" }.map { $0["channame"] }
      #expect(starts[0].dropLast() == starts[1].dropLast() && starts[0].hasSuffix(";1") && starts[1].hasSuffix(";2"))
      #expect(group.contains { $0.event == "WAZO_ORIGINATE_ALL_LINES" })
      let first = group.filter { $0.uniqueid == group[0].uniqueid }.map(\.event)
      let answered = group.contains { $0.event == "BRIDGE_ENTER" }
      #expect(first.prefix(2) == (answered ? ["CHAN_START", "ANSWER"] : ["CHAN_START", "HANGUP"]))
    }
  }

  @Test("in a group call several telephones ring")
  func groupCalls() throws {
    let calls = try groups.filter { group in
      try group.contains { try $0.event == "WAZO_CALL_LOG_DESTINATION" && payload($0).hasPrefix("type: group") }
    }
    #expect(calls.count > 0)
    for group in calls {
      #expect(group.count { $0.event == "CHAN_START" && $0["channame"].hasPrefix("PJSIP/") } >= 3)
    }
  }
}
