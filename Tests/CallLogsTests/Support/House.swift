import CallLogs

/// The people that the tests' calls are between.
enum House {
  static let tenant = "7a11e500-0000-4000-8000-000000000001"
  static let otherTenant = "7a11e500-0000-4000-8000-000000000002"
  /// The tenant of calls that nothing else gives one.
  static let masterTenant = "7a11e500-0000-4000-8000-0000000000ff"

  static let mira = "c0ffee00-0000-4000-8000-000000000041"
  static let noor = "c0ffee00-0000-4000-8000-000000000042"
  static let otto = "c0ffee00-0000-4000-8000-000000000043"
  /// Has two lines: 44 with an extension, 54 without.
  static let pia = "c0ffee00-0000-4000-8000-000000000044"
  /// Works for another tenant.
  static let quin = "c0ffee00-0000-4000-8000-000000000045"
  static let stranger = "c0ffee00-0000-4000-8000-000000000099"

  static let contents: DirectoryContents = {
    var contents = DirectoryContents()
    contents.users = [
      .init(uuid: mira, tenant: tenant, userfield: "design", lineIDs: [41]),
      .init(uuid: noor, tenant: tenant, userfield: "design, oslo", lineIDs: [42]),
      .init(uuid: otto, tenant: tenant, lineIDs: [43]),
      .init(uuid: pia, tenant: tenant, userfield: "stock", lineIDs: [44, 54]),
      .init(uuid: quin, tenant: otherTenant, lineIDs: [45]),
    ]
    contents.lines = [
      .init(id: 41, name: "mira", userUUID: mira, exten: "201", context: "floor"),
      .init(id: 42, name: "noor", userUUID: noor, exten: "202", context: "floor"),
      .init(id: 43, name: "otto", userUUID: otto, exten: "203", context: "floor"),
      .init(id: 44, name: "pia", userUUID: pia, exten: "204", context: "floor"),
      .init(id: 54, name: "piamobile", userUUID: pia),
      .init(id: 45, name: "quin", userUUID: quin, exten: "301", context: "attic"),
      .init(id: 60, name: "lobby", exten: "260", context: "floor"),
    ]
    contents.contexts = [
      .init(name: "floor", tenant: tenant), .init(name: "from-outside", tenant: tenant),
      .init(name: "attic", tenant: otherTenant), .init(name: "broken", tenant: "nobody"),
    ]
    contents.voicemails = [
      .init(id: 16, number: "202", context: "attic", name: "Wrong box", tenant: otherTenant),
      .init(id: 17, number: "202", context: "floor", name: "Noor's box", tenant: tenant),
    ]
    return contents
  }()

  static let directory = Directory(contents)
}

/// Channels and bridges that most tests use.
enum Stage {
  static let mira = Channel("PJSIP/mira-00000001", 1)
  static let noor = Channel("PJSIP/noor-00000002", 2)
  static let otto = Channel("PJSIP/otto-00000003", 3)
  static let pia = Channel("PJSIP/pia-00000004", 4)
  static let trunk = Channel("PJSIP/skyline-0000000a", 1)

  static let bridge = #"{"bridge_id":"b-1","bridge_technology":"simple_bridge"}"#
  static let waitingRoom = #"{"bridge_id":"b-0","bridge_technology":"holding_bridge"}"#

  /// Mira dials 202; `rows` happen in between; after a minute it is over.
  static func call(_ rows: [Row], from caller: Row? = nil, until end: Double = 60) -> [Row] {
    let start = caller ?? Row("CHAN_START", mira, 0, "Mira Sand <201>", "202@floor")
    let last = [
      Row("CHAN_END", start.channel, end), Row("LINKEDID_END", start.channel, end),
    ]
    return conversation([start] + rows + last)
  }

  /// Mira rings Noor; `rows` happen in between.
  static func callToNoor(_ rows: [Row]) -> [Row] {
    call([Row("CHAN_START", noor, 1, "Noor Vale <202>", "s@floor")] + rows + [Row("CHAN_END", noor, 59)])
  }

  /// Somebody outside dials in.
  static let outside = Row("CHAN_START", trunk, 0, "Kunde <5550300>", "5550388@from-outside")

  /// A recording's `extra`.
  static func recording(_ path: String, id: String = "0xa1") -> String {
    "{\"filename\":\(quoted(path)),\"mixmonitor_id\":\(quoted(id))}"
  }

  /// Where recordings lie.
  static func path(_ recording: String) -> String { "/var/lib/wazo/sounds/tenants/\(House.tenant)/monitor/\(recording).wav" }
}
