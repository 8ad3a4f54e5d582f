import Timelines
import Values

/// The picture of a timeline: one lane for each channel, drawn as SVG by attributes and classes
/// alone. Places are in percent, so that the picture is as wide as its page.
struct TimelinePicture: Sendable {
  let text: TimelineText
  let timeline: Timeline
  let scale: TimelineScale
  let zone: PageZone
  /// The answer of the call log; nil where it has none.
  let answer: Timestamp?

  /// Lanes of a call with very many channels.
  private static let mostLanes = 12
  /// Microseconds that a segment lasts at least, to be drawn.
  private static let leastSegment: Int64 = 50_000
  /// Segments that a lane of many channels shows.
  private static let mostSegments = 300
  /// From which width, in percent, a segment has room for its name: in a wide picture, and in a
  /// narrow one.
  private static let roomForName = (wide: 9.0, narrow: 24.0)

  private struct Lane {
    var channels: [Int]
    var label: Markup
  }

  var markup: Markup {
    let lanes = lanes
    let helpers = timeline.channels.count { TimelinePicture.isHelper($0) }
    let note: Markup = helpers == 0 || lanes.isEmpty ? "" : "<p class=\"hint\">\(text.helpers(helpers))</p>"
    return """
      <div class="lanes" role="img" aria-label="\(text.summary)">
      <div class="lane axis"><span class="who">\(zone.name)</span><svg>\(axis)</svg></div>
      \(lanes.map(lane))
      </div>
      <ul class="legend">\(legend(lanes.flatMap(\.channels)))</ul>
      \(note)
      """
  }

  // MARK: Lanes

  private static func isHelper(_ channel: Timeline.Channel) -> Bool { channel.role == .local || channel.role == .asterisk }

  /// The channels that have a lane of their own, and what is left of very many.
  private var lanes: [Lane] {
    let people = timeline.channels.indices.filter { !TimelinePicture.isHelper(timeline.channels[$0]) }
    // A call may have nothing else, such as one that was given up before it reached anybody.
    let all = people.isEmpty ? Array(timeline.channels.indices) : people
    guard all.count > TimelinePicture.mostLanes else {
      return all.map { Lane(channels: [$0], label: label(timeline.channels[$0])) }
    }
    func onlyRang(_ place: Int) -> Bool { timeline.channels[place].segments.allSatisfy { $0.kind == .ringing } }
    // Who only rang tells little, and is together in the last lane.
    let wanted = all.filter { timeline.channels[$0].role == .caller || !onlyRang($0) }
    let shown = wanted.prefix(TimelinePicture.mostLanes - 2)
    var lanes = shown.map { Lane(channels: [$0], label: label(timeline.channels[$0])) }
    for (channels, rangOnly) in [(Array(wanted.dropFirst(shown.count)), false), (all.filter { !wanted.contains($0) }, true)]
    where !channels.isEmpty {
      lanes.append(
        Lane(channels: channels, label: "<span class=\"none\">\(text.others(channels.count, rangOnly: rangOnly))</span>"))
    }
    return lanes
  }

  private func label(_ channel: Timeline.Channel) -> Markup {
    let device = TimelineText.device(channel)
    let name: Markup =
      switch (channel.ownerName.isEmpty || channel.ownerName == channel.ownerNumber, channel.ownerNumber.isEmpty) {
      case (true, true): "<bdi class=\"name\">\(text.who(channel))</bdi>"
      case (true, false): "<bdi class=\"name\">\(channel.ownerNumber)</bdi>"
      case (false, true): "<bdi class=\"name\">\(channel.ownerName)</bdi>"
      case (false, false): "<bdi class=\"name\">\(channel.ownerName)</bdi> <bdi class=\"number\">\(channel.ownerNumber)</bdi>"
      }
    return device.isEmpty || device == text.who(channel) ? name : "\(name) <bdi class=\"device\">\(device)</bdi>"
  }

  private func lane(_ lane: Lane) -> Markup {
    let single = lane.channels.count == 1 ? lane.channels.first : nil
    let lives = lane.channels.prefix(TimelinePicture.mostSegments).map { place -> Markup in
      let channel = timeline.channels[place]
      let (x1, x2) = (at(channel.start), at(channel.end))
      return "<line class=\"life\" x1=\"\(x1)\" x2=\"\(x2)\" y1=\"15\" y2=\"15\"/>"
    }
    let segments = lane.channels.flatMap { place in timeline.channels[place].segments.map { (place, $0) } }
      // While channels change their bridges they are alone for an instant.
      .filter { $0.1.end - $0.1.start >= TimelinePicture.leastSegment }
      .prefix(TimelinePicture.mostSegments).map { segment($0.1, of: $0.0) }
    let grid = scale.ticks.map { tick -> Markup in
      "<line class=\"grid\" x1=\"\(TimelineScale.text(tick.place))\" x2=\"\(TimelineScale.text(tick.place))\" y1=\"-40\" y2=\"70\"/>"
    }
    let line: Markup =
      answer.map { "<line class=\"answer\" x1=\"\(at($0))\" x2=\"\(at($0))\" y1=\"-40\" y2=\"70\"/>" } ?? ""
    return """
      <div class="lane"><span class="who">\(lane.label)</span>\
      <svg>\(grid)\(line)\(lives)\(segments)\(single.map(marks) ?? [])</svg></div>

      """
  }

  private func at(_ time: Timestamp) -> String { TimelineScale.text(scale.place(time)) }

  private func segment(_ segment: Timeline.Segment, of place: Int) -> Markup {
    let (start, end) = (scale.place(segment.start), scale.place(segment.end))
    let width = max(end - start, 0.25)
    let label = text.label(segment, in: timeline)
    let seconds = ShownCall.text(seconds: Int64(((Double(segment.end) - Double(segment.start)) / 1_000_000).rounded()))
    let hint =
      "\(text.who(timeline.channels[place])): \(segment.kind == .talking ? text.name(.talking) + " " : "")\(label) · \(seconds)"
    let stripes: Markup =
      segment.kind == .hold || segment.kind == .parked
      ? "<line class=\"stripes\" x1=\"0\" x2=\"100%\" y1=\"16\" y2=\"16\"/>" : ""
    let room = width >= TimelinePicture.roomForName.narrow ? "ample" : "tight"
    let name: Markup =
      width < TimelinePicture.roomForName.wide ? "" : "<text class=\"\(room)\" x=\"5\" y=\"13\">\(label)</text>"
    return """
      <svg class="segment \(segment.kind.rawValue)" x="\(TimelineScale.text(start))" y="6" width="\(TimelineScale.text(width))" \
      height="18"><title>\(hint)</title><rect width="100%" height="18" rx="3"/>\(stripes)\(name)</svg>
      """
  }

  /// What happened to a channel at a moment: a transfer, a forward, a pickup.
  private func marks(of place: Int) -> [Markup] {
    zip(timeline.events, timeline.readings).filter { $1.channel == place }.prefix(TimelinePicture.mostSegments)
      .compactMap { event, reading in
        guard let sign = TimelinePicture.sign(reading.meaning) else { return nil }
        let x = at(event.time)
        return """
          <g class="mark"><title>\(zone.clockTime(event.time)) \(text.sentence(reading, in: timeline))</title>\
          <circle cx="\(x)" cy="15" r="8"/><text x="\(x)" y="19">\(sign)</text></g>
          """
      }
  }

  private static func sign(_ meaning: Meaning) -> String? {
    switch meaning {
    case .transfersBlindly, .transfersAttended: "⇄"
    case .forwards, .isForwarded: "↪"
    case .isPickedUp: "↗"
    default: nil
    }
  }

  // MARK: Axis and legend

  private var axis: [Markup] {
    scale.ticks.map { tick in
      let anchor = tick.place < 5 ? "start" : tick.place > 95 ? "end" : "middle"
      return """
        <text class="\(tick.isFine ? "fine" : "coarse")" x="\(TimelineScale.text(tick.place))" y="14" text-anchor="\(anchor)">\(tick.label)</text>
        """
    }
  }

  private func legend(_ channels: [Int]) -> [Markup] {
    let kinds = Set(channels.flatMap { timeline.channels[$0].segments.map(\.kind) })
    let swatches = Timeline.Segment.Kind.allCases.filter { kinds.contains($0) }.map { kind -> Markup in
      let stripes: Markup =
        kind == .hold || kind == .parked ? "<line class=\"stripes\" x1=\"0\" x2=\"100%\" y1=\"16\" y2=\"16\"/>" : ""
      return """
        <li><svg class="segment \(kind.rawValue)" aria-hidden="true"><rect width="100%" height="100%" rx="3"/>\(stripes)</svg>\(text.name(kind))</li>
        """
    }
    let line: Markup = """
      <li><svg class="sign" aria-hidden="true"><line class="answer" x1="50%" x2="50%" y1="0" y2="100%"/></svg>\(text.answered)</li>
      """
    return answer == nil ? swatches : swatches + [line]
  }
}
