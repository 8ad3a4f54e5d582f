import API
import CallLogs
import Timelines
import Values

/// The events of a call as JSON.
struct EventsAnswer {
  let call: ShownCall
  let story: CallStory
  /// Whether a user sees their own call: the data that events carry for the dialplan is left out.
  let isOwn: Bool

  private let text = TimelineText.english

  init(call: ShownCall, story: CallStory, isOwn: Bool) { (self.call, self.story, self.isOwn) = (call, story, isOwn) }

  var json: JSONValue {
    .fields([
      "id": .integer(call.id), "conversation_id": EventsAnswer.text(call.conversation), "state": .string(story.state.rawValue),
      "message": .string(text.text(story)), "is_complete": .flag(story.state == .complete),
      "in_archive": .flag(!story.months.isEmpty), "archive_months": .list(story.months.map { .string($0) }),
      "is_cut": .flag(story.isCut), "events": .list(zip(story.timeline.events, story.timeline.readings).map(event)),
      "channels": .list(story.timeline.channels.map(channel)), "why": story.reasons.map(why) ?? .null,
    ])
  }

  private func event(_ event: CallEvent, _ reading: Timeline.Reading) -> JSONValue {
    .fields([
      "id": .integer(event.id), "time": EventsAnswer.time(event.time), "type": .string(event.name),
      "channel": .string(event.channel), "uniqueid": .string(event.uniqueid), "linkedid": .string(event.linkedid),
      "caller_id_name": .string(event.callerName), "caller_id_number": .string(event.callerNumber),
      "exten": .string(event.exten), "context": .string(event.context), "application": .string(event.application),
      "extra": extra(event), "meaning": .string(reading.meaning.rawValue),
      "meaning_text": .string(text.sentence(reading, in: story.timeline)),
      "read_as": story.reasons?.readings[event.id].map { .string($0.rawValue) } ?? .null,
    ])
  }

  /// Whoever reads a key's digit could read a code that somebody has dialled.
  private func extra(_ event: CallEvent) -> JSONValue {
    guard let extra = event.extra, !extra.isEmpty, !isOwn, event.kind != .dtmf else { return .null }
    return JSONValue(json: extra.utf8) ?? .string(extra)
  }

  private func channel(_ channel: Timeline.Channel) -> JSONValue {
    .fields([
      "uniqueid": .string(channel.uniqueid), "name": .string(channel.name), "role": .string(channel.role.rawValue),
      "owner_name": EventsAnswer.text(channel.ownerName), "owner_number": EventsAnswer.text(channel.ownerNumber),
      "start": EventsAnswer.time(channel.start), "end": channel.hasEnd ? EventsAnswer.time(channel.end) : .null,
      "is_answered": .flag(channel.isAnswered), "segments": .list(channel.segments.map(segment)),
    ])
  }

  private func segment(_ segment: Timeline.Segment) -> JSONValue {
    .fields([
      "kind": .string(segment.kind.rawValue), "start": EventsAnswer.time(segment.start), "end": EventsAnswer.time(segment.end),
      "peers": .list(segment.peers.map { .string(story.timeline.channels[$0].uniqueid) }),
      "application": segment.application.map { .string($0) } ?? .null,
    ])
  }

  private func why(_ reasons: CallReasons) -> JSONValue {
    .fields([
      "linkedids": .list(reasons.linkedids.map { .string($0) }), "is_originate": .flag(reasons.isOriginate),
      "facts": .list(
        text.why(reasons, call, story.timeline).map { fact in
          .fields([
            "fact": .string(fact.key), "text": .string(fact.text), "event_id": fact.event.map { .integer($0) } ?? .null,
          ])
        }),
      "flaws": .list(
        reasons.flaws.noted.map { flaw in
          .fields([
            "flaw": .string(flaw.key), "text": .string(flaw.label), "count": .integer(Int64(reasons.flaws[flaw])),
            "event_ids": .list(reasons.flaws.examples(of: flaw).map { .integer($0) }),
          ])
        }),
    ])
  }

  private static func text(_ text: String) -> JSONValue { text.isEmpty ? .null : .string(text) }

  /// A time as the API writes it: in UTC, without a fraction of zero.
  private static func time(_ time: Timestamp) -> JSONValue {
    var out: [UInt8] = []
    TimestampText.appendWallClock(time, isShort: true, to: &out)
    return .string(String(decoding: out, as: UTF8.self) + "+00:00")
  }
}
