import Values

/// Walks through the events of a call in order, and notes what each channel does.
struct TimelineBuilder {
  /// A channel while the walk goes on.
  struct Track {
    let uniqueid: String
    var name = ""
    var role = Timeline.Role.unknown
    var ownerName = "", ownerNumber = ""
    let start: Timestamp
    var end: Timestamp?
    var hangup: Timestamp?
    var hasStart = false
    var isAnswered = false
    /// Whether somebody dialled it, so that it rings until it is answered.
    var isDialled = false
    var isParked = false
    /// Whether it hears the music of a hold.
    var isHeld = false
    /// Whether it has put the others on hold.
    var holds = false
    var application: String?
    /// Whether the application has already led into a bridge, and so no longer calls or waits.
    var hasConnected = false
    var bridge: String?
    var doing: Doing?
    var since: Timestamp
    var segments: [Timeline.Segment] = []

    var isAlive: Bool { end == nil && hangup == nil }
    var isPaused: Bool { isHeld || holds }
  }

  /// What a channel does at a moment.
  struct Doing: Equatable {
    var kind: Timeline.Segment.Kind
    var peers: [Int] = []
    var application: String?
  }

  struct Bridge {
    var members: [Int] = []
    var isHolding = false
    var isConference = false
  }

  let events: [CallEvent]
  var tracks: [Track] = []
  var bridges: [String: Bridge] = [:]
  var readings: [Timeline.Reading] = []
  private var places: [String: Int] = [:]
  var placesByName: [String: Int] = [:]
  private var hasCaller = false
  private var hasBegun = false

  init(_ events: [CallEvent]) { self.events = events }

  /// The last event of the call.
  private var end: Timestamp { events.last?.time ?? 0 }

  var channels: [Timeline.Channel] {
    tracks.map { track in
      Timeline.Channel(
        uniqueid: track.uniqueid, name: track.name, role: track.role, ownerName: track.ownerName,
        ownerNumber: track.ownerNumber, start: track.start, end: track.end ?? track.hangup ?? end, hasStart: track.hasStart,
        hasEnd: track.end != nil, isAnswered: track.isAnswered, segments: track.segments)
    }
  }

  mutating func run() {
    readings.reserveCapacity(events.count)
    for event in events {
      let place = place(of: event)
      let meaning = read(event, place)
      readings.append(meaning)
    }
    // Nobody knows when such a channel ended. It was there until something tells otherwise.
    for place in tracks.indices where tracks[place].isAlive { close(place, at: end) }
  }

  /// The place of an event's channel, which is new or known.
  private mutating func place(of event: CallEvent) -> Int {
    let place: Int
    if let known = places[event.uniqueid] {
      place = known
    } else {
      place = tracks.count
      places[event.uniqueid] = place
      tracks.append(Track(uniqueid: event.uniqueid, start: event.time, since: event.time))
      if event.isOfAsterisk { tracks[place].role = .asterisk }
    }
    // The name of a channel can change in a transfer; the first one is what people know it by.
    if tracks[place].name.isEmpty { tracks[place].name = event.channel }
    if !event.channel.isEmpty { placesByName[event.channel] = place }
    if tracks[place].ownerName.isEmpty, tracks[place].ownerNumber.isEmpty {
      (tracks[place].ownerName, tracks[place].ownerNumber) = (event.callerName, event.callerNumber)
    }
    return place
  }

  /// Reads an event: changes what channels do from here on.
  private mutating func read(_ event: CallEvent, _ place: Int) -> Timeline.Reading {
    // What comes after the end of a channel changes nothing, but for a new start.
    if tracks[place].end != nil, event.kind != .chanStart { return reading(event, place) }
    switch event.kind {
    case .chanStart:
      start(event, place)
      updateBridge(of: place, at: event.time)
    case .chanEnd:
      leaveBridge(place, at: event.time)
      close(place, at: event.time)
      tracks[place].end = event.time
    case .hangup:
      leaveBridge(place, at: event.time)
      close(place, at: event.time)
      if tracks[place].hangup == nil { tracks[place].hangup = event.time }
      if tracks[place].role == .local { updateAllInBridges(at: event.time) }
    case .answer:
      tracks[place].isAnswered = true
      update(place, at: event.time)
    case .appStart:
      guard !TimelineBuilder.isInstant(event.application) else { break }
      (tracks[place].application, tracks[place].hasConnected) = (event.application, false)
      update(place, at: event.time)
      // Who is behind it waits for the answer, too.
      if tracks[place].role == .local { updateAllInBridges(at: event.time) }
    case .appEnd:
      guard tracks[place].application?.lowercased() == event.application.lowercased() else { break }
      tracks[place].application = nil
      update(place, at: event.time)
    case .bridgeEnter, .bridgeStart:
      enterBridge(event, place)
    case .bridgeExit, .bridgeEnd:
      let bridge = event.details["bridge_id"]
      guard bridge == nil || bridge == tracks[place].bridge else { break }
      leaveBridge(place, at: event.time)
    case .parkStart, .parkEnd:
      tracks[place].isParked = event.kind == .parkStart
      updateBridge(of: place, at: event.time)
    case .hold, .unhold:
      let wasPaused = tracks[place].isPaused
      tracks[place].holds = event.kind == .hold
      let reading = reading(event, place, wasPaused: wasPaused)
      updateBridge(of: place, at: event.time)
      return reading
    case .streamBegin, .streamEnd:
      let wasPaused = tracks[place].isPaused
      // Music of a class, in a bridge, is what somebody on hold hears.
      tracks[place].isHeld =
        event.kind == .streamBegin && tracks[place].bridge != nil && event.details["class"] != nil
        && !isHolding(tracks[place].bridge)
      let reading = reading(event, place, wasPaused: wasPaused)
      updateBridge(of: place, at: event.time)
      return reading
    default: break
    }
    return reading(event, place)
  }

  private mutating func start(_ event: CallEvent, _ place: Int) {
    if tracks[place].end != nil {
      (tracks[place].end, tracks[place].hangup, tracks[place].since) = (nil, nil, event.time)
      (tracks[place].application, tracks[place].isAnswered) = (nil, false)
    }
    tracks[place].hasStart = true
    if event.isOfAsterisk {
      tracks[place].role = .asterisk
    } else if event.channel.lowercased().hasPrefix("local/") {
      tracks[place].role = .local
    } else if !hasCaller {
      (tracks[place].role, hasCaller) = (.caller, true)
      // Behind a pair of Local channels the caller's own telephone rings first (click to call).
      tracks[place].isDialled = hasBegun
    } else if tracks[place].role != .caller {
      // A channel with an extension or a linkedid of its own has dialled: it asks a colleague
      // before a transfer, or picks up a call.
      let hasDialled = event.uniqueid == event.linkedid || !["", "s"].contains(event.exten)
      (tracks[place].role, tracks[place].isDialled) = (.callee, !hasDialled)
    }
    hasBegun = true
  }

  /// Applications that do their work in no time.
  private static func isInstant(_ name: String) -> Bool {
    [
      "", "set", "mset", "noop", "gosub", "gosubif", "goto", "gotoif", "gotoiftime", "return", "execif", "verbose", "log",
      "stackpop", "userevent", "celgenuserevent", "answer", "appdial", "appdial2",
    ].contains(name.lowercased())
  }
}
