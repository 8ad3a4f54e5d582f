import Timelines
import Values

/// The part of a call's page that is about its events.
struct TimelineSection: Sendable {
  let text: TimelineText
  let call: ShownCall
  let story: CallStory
  let zone: PageZone
  /// Whether a user sees their own call: the data that events carry for the dialplan is left out.
  let isOwn: Bool

  /// Events that the page lists at most. The API has all.
  private static let most = 500
  /// Lists of more events are folded.
  private static let mostUnfolded = 60

  private var timeline: Timeline { story.timeline }

  var markup: Markup {
    let state: Markup = story.state == .complete ? "" : "<p class=\"state\">\(text.text(story))</p>"
    guard let start = timeline.start, let end = timeline.end else {
      return TimelineSection.section(text, state)
    }
    let scale = TimelineScale(min(start, call.start), max(end, call.end ?? end), zone: zone)
    let picture = TimelinePicture(text: text, timeline: timeline, scale: scale, zone: zone, answer: call.answer)
    return TimelineSection.section(text, "\(state)\n\(picture.markup)\n\(why)\n\(happened)\n\(raw)")
  }

  /// The section where the events cannot be read now.
  static func unavailableNow(_ text: TimelineText) -> Markup { section(text, "<p class=\"state\">\(text.cannotNow)</p>") }

  private static func section(_ text: TimelineText, _ content: Markup) -> Markup {
    "<section class=\"timeline\">\n<h2>\(text.title)</h2>\n\(content)\n</section>\n"
  }

  private var why: Markup {
    guard let reasons = story.reasons else { return "" }
    let facts = text.why(reasons, call, timeline).map { fact -> Markup in "<li>\(fact.text)</li>" }
    return "<h3>\(text.why)</h3>\n<ul class=\"why\">\(facts)</ul>"
  }

  private var shown: [(CallEvent, Timeline.Reading)] {
    Array(zip(timeline.events, timeline.readings).prefix(TimelineSection.most))
  }

  private var cut: Markup {
    timeline.events.count > TimelineSection.most
      ? "<p class=\"hint\">\(text.first(TimelineSection.most, of: timeline.events.count))</p>" : ""
  }

  private var happened: Markup {
    let rows = shown.map { event, reading -> Markup in
      """
      <tr class="\(isMinor(reading) ? "minor" : "major")"><td class="time"><time datetime="\(PageZone.iso(event.time))">\(zone.clockTime(event.time))</time></td>\
      <td><bdi>\(text.sentence(reading, in: timeline))</bdi></td>\
      <td class="channel"><bdi>\(timeline.channels[reading.channel].name)</bdi></td><td class="event"><code>\(event.name)</code></td></tr>

      """
    }
    let isOpen: Markup = rows.count <= TimelineSection.mostUnfolded ? " open" : ""
    return """
      <details\(isOpen)><summary>\(text.whatHappened)</summary>
      \(cut)<table class="happened"><thead><tr><th scope="col">\(text.time)</th><th scope="col">\(text.meaning)</th>\
      <th scope="col">\(text.channel)</th><th scope="col">\(text.event)</th></tr></thead><tbody>
      \(rows)</tbody></table></details>
      """
  }

  private func isMinor(_ reading: Timeline.Reading) -> Bool {
    let role = timeline.channels[reading.channel].role
    return reading.meaning.isMinor || role == .local || role == .asterisk
  }

  private var raw: Markup {
    let names = [
      "id", "eventtime", "eventtype", "channame", "uniqueid", "linkedid", "cid_name", "cid_num", "exten", "context", "appname",
      "extra",
    ].filter { !isOwn || $0 != "extra" }
    let rows = shown.map { event, _ -> Markup in
      let values = [
        String(event.id), TimestampText.text(event.time), event.name, event.channel, event.uniqueid, event.linkedid,
        event.callerName, event.callerNumber, event.exten, event.context, event.application,
      ]
      let extra = isOwn ? [] : [event.kind == .dtmf ? "" : event.extra ?? ""]
      return "<tr>\((values + extra).map { value -> Markup in "<td><bdi>\(value)</bdi></td>" })</tr>\n"
    }
    return """
      <details><summary>\(text.rawEvents(timeline.events.count))</summary>
      \(cut)<div class="raw" tabindex="0" role="region" aria-label="\(text.rawEvents(timeline.events.count))">
      <table><thead><tr>\(names.map { name -> Markup in "<th scope=\"col\">\(name)</th>" })</tr></thead><tbody>
      \(rows)</tbody></table></div></details>
      """
  }
}

extension Meaning {
  /// Whether the event tells Asterisk's work rather than the call.
  fileprivate var isMinor: Bool {
    switch self {
    case .helperStarts, .helperIsOptimized, .applicationStarts, .applicationEnds, .entersBridge, .soundStarts, .soundEnds, .key,
      .channelEnds, .callEnds, .isDialled, .isAnnounced, .isRequested, .unknown:
      true
    default: false
    }
  }
}
