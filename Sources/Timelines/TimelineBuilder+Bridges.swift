import Values

extension TimelineBuilder {
  func isHolding(_ bridge: String?) -> Bool { bridge.flatMap { bridges[$0] }?.isHolding ?? false }

  mutating func enterBridge(_ event: CallEvent, _ place: Int) {
    guard tracks[place].isAlive else { return }
    let details = event.details
    // Without an id, the names of those who are there tell which bridge it is.
    let names = event.peer.split(separator: ",").map(String.init)
    let others = names.compactMap { name in placesByName[name].flatMap { tracks[$0].bridge } }
    let known = details["bridge_id"] ?? others.first
    let bridge = known ?? "of " + tracks[place].uniqueid
    if tracks[place].bridge != bridge { leaveBridge(place, at: event.time) }
    tracks[place].bridge = bridge
    tracks[place].hasConnected = true
    let technology = details["bridge_technology"]
    if technology != "holding_bridge" { tracks[place].isParked = false }
    var entered = bridges[bridge] ?? Bridge()
    entered.isHolding = technology == "holding_bridge"
    // A conference is a bridge that calls of their own share.
    entered.isConference =
      entered.isConference || ["confbridge", "meetme"].contains(event.application.lowercased()) || technology == "softmix"
    if !entered.members.contains(place) { entered.members.append(place) }
    bridges[bridge] = entered
    updateBridge(of: place, at: event.time)
  }

  mutating func leaveBridge(_ place: Int, at time: Timestamp) {
    guard let bridge = tracks[place].bridge else { return }
    (tracks[place].bridge, tracks[place].isHeld, tracks[place].holds) = (nil, false, false)
    bridges[bridge]?.members.removeAll { $0 == place }
    update(place, at: time)
    // Who is behind a Local channel may be in another bridge.
    updateAllInBridges(at: time)
  }

  /// Notes what the channels of a bridge do from here on.
  mutating func updateBridge(of place: Int, at time: Timestamp) {
    update(place, at: time)
    if tracks[place].bridge != nil { updateAllInBridges(at: time) }
  }

  /// Notes what the channels of all bridges do from here on.
  mutating func updateAllInBridges(at time: Timestamp) {
    let connected = connectedBridges()
    for bridge in bridges.values {
      for member in bridge.members { update(member, at: time, connected) }
    }
  }

  /// Notes what a channel does from here on.
  mutating func update(_ place: Int, at time: Timestamp, _ connected: [String: String]? = nil) {
    let doing = tracks[place].isAlive ? doing(place, connected) : nil
    guard doing != tracks[place].doing else { return }
    close(place, at: time)
    (tracks[place].doing, tracks[place].since) = (doing, time)
  }

  /// Ends what a channel does.
  mutating func close(_ place: Int, at time: Timestamp) {
    defer { tracks[place].doing = nil }
    guard let doing = tracks[place].doing, time > tracks[place].since else { return }
    var start = tracks[place].since
    // Channels change their bridges in an instant, and go on with what they did.
    if let last = tracks[place].segments.last, last.end == start, last.kind == doing.kind, last.peers == doing.peers,
      last.application == doing.application
    {
      start = last.start
      tracks[place].segments.removeLast()
    }
    tracks[place].segments.append(
      Timeline.Segment(kind: doing.kind, start: start, end: time, peers: doing.peers, application: doing.application))
  }

  /// Peers that are named at most: in a conference of hundreds each one would otherwise name all
  /// others, again for whoever comes or goes.
  private static let mostPeers = 20

  private func doing(_ place: Int, _ connected: [String: String]?) -> Doing? {
    let track = tracks[place]
    if track.isParked { return Doing(kind: .parked) }
    if let name = track.bridge, let bridge = bridges[name] {
      if track.role == .local || track.role == .asterisk { return Doing(kind: .relay) }
      if bridge.isHolding { return Doing(kind: .waiting) }
      let others = others(than: place, in: name, connected ?? connectedBridges())
      if track.isPaused { return Doing(kind: .hold) }
      let active = others.filter { !tracks[$0].isPaused }
      if !active.isEmpty { return Doing(kind: .talking, peers: Array(active.prefix(TimelineBuilder.mostPeers))) }
      if !others.isEmpty { return Doing(kind: .hold) }
      if bridge.members.contains(where: { isCallingBehind($0) }) { return Doing(kind: .calling) }
      return Doing(kind: bridge.isConference ? .conference : .alone)
    }
    if let application = track.application {
      switch application.lowercased() {
      case "queue": return track.hasConnected ? nil : Doing(kind: .waiting, application: application)
      case let name where TimelineBuilder.calls(name):
        return track.hasConnected ? nil : Doing(kind: .calling, application: application)
      case "voicemail", "voicemailmain", "minivmgreet", "minivmrecord": return Doing(kind: .voicemail, application: application)
      default: return Doing(kind: .application, application: application)
      }
    }
    if track.isDialled, !track.isAnswered { return Doing(kind: .ringing) }
    return nil
  }

  /// Whether an application calls somebody.
  private static func calls(_ name: String) -> Bool { ["dial", "followme", "retrydial", "page"].contains(name) }

  // MARK: Through Local channels

  /// The other half of a pair of Local channels.
  private func otherHalf(of place: Int) -> Int? {
    let name = tracks[place].name
    guard tracks[place].role == .local, name.hasSuffix(";1") || name.hasSuffix(";2") else { return nil }
    return placesByName[String(name.dropLast(1)) + (name.hasSuffix(";1") ? "2" : "1")]
  }

  /// Whether the other half of a Local channel calls somebody, who has not answered yet.
  private func isCallingBehind(_ place: Int) -> Bool {
    guard let other = otherHalf(of: place), tracks[other].isAlive, !tracks[other].hasConnected else { return false }
    return TimelineBuilder.calls(tracks[other].application?.lowercased() ?? "")
  }

  /// The bridges that pairs of Local channels connect: one name for all that are connected.
  private func connectedBridges() -> [String: String] {
    var names: [String: String] = [:]
    func root(_ name: String) -> String {
      var name = name
      while let next = names[name], next != name { name = next }
      return name
    }
    for bridge in bridges.values {
      for member in bridge.members where tracks[member].role == .local {
        guard let other = otherHalf(of: member),
          let here = tracks[member].bridge, let there = tracks[other].bridge
        else { continue }
        let (a, b) = (root(here), root(there))
        if a != b { names[max(a, b)] = min(a, b) }
      }
    }
    return names.isEmpty ? [:] : Dictionary(uniqueKeysWithValues: bridges.keys.map { ($0, root($0)) })
  }

  /// The other people in a bridge and in those connected with it: neither Local channels nor
  /// Asterisk's own, and nobody who is parked or waits.
  private func others(than place: Int, in name: String, _ connected: [String: String]) -> [Int] {
    let whole = connected[name]
    let names = whole == nil ? [name] : connected.filter { $0.value == whole }.map(\.key)
    return names.flatMap { name in bridges[name].map { $0.isHolding ? [] : $0.members } ?? [] }
      .filter { $0 != place && tracks[$0].role != .local && tracks[$0].role != .asterisk && !tracks[$0].isParked }.sorted()
  }

  /// Those with whom a channel talks now.
  func peers(of place: Int) -> [Int] {
    guard case .talking? = tracks[place].doing?.kind else { return [] }
    return tracks[place].doing?.peers ?? []
  }
}
