import CallLogs
import Timelines
import Values

/// What the page and the API say of the events of a call, in one language.
struct TimelineText: Sendable {
  private let isFrench: Bool

  static let english = TimelineText(language: "en")

  /// - Parameter language: such as `fr`; any other one is English
  init(language: String) { isFrench = language == "fr" }

  func say(_ english: String, _ french: String) -> String { isFrench ? french : english }

  var title: String { say("Timeline", "Chronologie") }
  var summary: String {
    say(
      "Timeline of the channels. The list of events below says the same in words.",
      "Chronologie des canaux. La liste des événements ci-dessous dit la même chose en mots.")
  }
  var why: String { say("Why the call log says this", "Pourquoi le journal dit cela") }
  var whatHappened: String { say("What happened", "Ce qui s’est passé") }
  var time: String { say("Time", "Heure") }
  var channel: String { say("Channel", "Canal") }
  var event: String { say("Event", "Événement") }
  var meaning: String { say("What it meant", "Ce que cela signifie") }
  var answered: String { say("answered", "réponse") }
  var cannotNow: String {
    say(
      "The events of this call cannot be read now. Try again in a moment.",
      "Les événements de cet appel ne peuvent pas être lus maintenant. Réessayez dans un instant.")
  }
  func rawEvents(_ number: Int) -> String { say("Raw events (CEL): \(number)", "Événements bruts (CEL) : \(number)") }
  func first(_ number: Int, of all: Int) -> String {
    say(
      "These are the first \(number) of \(all) events. The API has the others.",
      "Voici les \(number) premiers événements sur \(all). L’API donne les autres.")
  }
  func helpers(_ number: Int) -> String {
    number == 1
      ? say("One helper channel of Asterisk’s is left out.", "Un canal auxiliaire d’Asterisk n’est pas montré.")
      : say(
        "\(number) helper channels of Asterisk’s are left out.", "\(number) canaux auxiliaires d’Asterisk ne sont pas montrés.")
  }
  func others(_ number: Int, rangOnly: Bool) -> String {
    rangOnly
      ? number == 1
        ? say("1 more that only rang", "1 autre qui a seulement sonné")
        : say("\(number) more that only rang", "\(number) autres qui ont seulement sonné")
      : number == 1 ? say("1 more channel", "1 autre canal") : say("\(number) more channels", "\(number) autres canaux")
  }

  // MARK: Segments

  /// What a channel does, as a word of the legend.
  func name(_ kind: Timeline.Segment.Kind) -> String {
    switch kind {
    case .ringing: say("ringing", "sonne")
    case .calling: say("calling", "appelle")
    case .waiting: say("waiting", "attend")
    case .application: say("application", "application")
    case .voicemail: say("voicemail", "messagerie")
    case .talking: say("talking", "parle")
    case .conference: say("conference", "conférence")
    case .alone: say("alone", "seul")
    case .hold: say("on hold", "en attente musicale")
    case .parked: say("parked", "parqué")
    case .relay: say("relay", "relais")
    }
  }

  /// What a channel does, short enough for the picture.
  func label(_ segment: Timeline.Segment, in timeline: Timeline) -> String {
    switch segment.kind {
    case .talking: say("with ", "avec ") + names(segment.peers, in: timeline)
    case .application: segment.application ?? name(segment.kind)
    default: name(segment.kind)
    }
  }

  // MARK: Channels

  /// Whom a channel belongs to: a name with a number, or what the channel is called.
  func who(_ channel: Timeline.Channel) -> String {
    switch (channel.ownerName.isEmpty, channel.ownerNumber.isEmpty) {
    case (false, false): "\(channel.ownerName) (\(channel.ownerNumber))"
    case (false, true): channel.ownerName
    case (true, false): channel.ownerNumber
    case (true, true): TimelineText.device(channel).isEmpty ? say("a channel", "un canal") : TimelineText.device(channel)
    }
  }

  /// The name of a channel without the number of its copy, such as `PJSIP/abc`.
  static func device(_ channel: Timeline.Channel) -> String {
    channel.name.lastIndex(of: "-").map { String(channel.name[..<$0]) } ?? channel.name
  }

  /// The names of channels, joined as in a sentence.
  func names(_ places: [Int], in timeline: Timeline) -> String {
    let most = 3
    var names: [String] = []
    for place in places {
      let channel = timeline.channels[place]
      let name = channel.ownerName.isEmpty ? who(channel) : channel.ownerName
      if !names.contains(name) { names.append(name) }
    }
    if names.count > most {
      names = names.prefix(most - 1) + [say("\(names.count - most + 1) more", "\(names.count - most + 1) autres")]
    }
    guard let last = names.last, names.count > 1 else { return names.first ?? "" }
    return names.dropLast().joined(separator: ", ") + say(" and ", " et ") + last
  }

  // MARK: Where the events are

  func text(_ story: CallStory) -> String {
    let months = story.months.joined(separator: ", ")
    let isCut =
      story.isCut
      ? say(
        " The call has more events than the \(story.timeline.events.count) that are read.",
        " L’appel a plus d’événements que les \(story.timeline.events.count) qui sont lus.") : ""
    let archive =
      months.isEmpty
      ? ""
      : say(
        " The archive has the purged events of \(months); “wazo-call-logs restore” brings them back.",
        " L’archive a les événements purgés de \(months) ; « wazo-call-logs restore » les ramène.")
    switch story.state {
    case .complete: return say("All events of the call are there.", "Tous les événements de l’appel sont là.")
    case .partial:
      return say("Some events of the call are not in the table.", "Certains événements de l’appel ne sont pas dans la table.")
        + isCut + archive
    case .unfinished:
      return say(
        "The end of the call (LINKEDID_END) is not in the table.", "La fin de l’appel (LINKEDID_END) n’est pas dans la table.")
    case .archived:
      return say("The events of the call were purged.", "Les événements de l’appel ont été purgés.") + archive
    case .absent:
      return say(
        "The table has no events of this call, and no archive of this database has them.",
        "La table n’a aucun événement de cet appel, et aucune archive de cette base ne les a.")
    case .hidden:
      return say(
        "Some events are not shown: they also belong to a call that you may not see.",
        "Certains événements ne sont pas montrés : ils appartiennent aussi à un appel que vous ne pouvez pas voir.")
    case .unavailable:
      return say(
        "This service has no table of channel events (CEL).",
        "Ce service n’a pas de table d’événements de canaux (CEL).")
    }
  }

  // MARK: Why

  /// Why the call log is what it is, fact by fact.
  func why(
    _ reasons: CallReasons, _ call: ShownCall, _ timeline: Timeline
  ) -> [(key: String, text: String, event: Int64?)] {
    var facts: [(key: String, text: String, event: Int64?)] = []
    func add(_ key: String, _ event: Int64?, _ english: String, _ french: String) {
      facts.append((key, say(english, french), event))
    }
    let (events, number) = (timeline.events.count, reasons.linkedids.count)
    if number > 1 {
      add(
        "conversation", nil,
        "The call log was made from \(events) events with \(number) linkedids. They share channels, and so are one call.",
        "Le journal est fait de \(events) événements avec \(number) linkedids. Ils partagent des canaux : c’est un seul appel.")
    } else {
      add(
        "conversation", nil, "The call log was made from \(events) events with one linkedid.",
        "Le journal est fait de \(events) événements avec un seul linkedid.")
    }
    switch reasons.verdict {
    case .callLog: break
    case .closed:
      add(
        "end_is_missing", nil,
        "LINKEDID_END is missing for \(timeline.missingEnds.joined(separator: ", ")). A run with close_after closed the call at its newest event.",
        "LINKEDID_END manque pour \(timeline.missingEnds.joined(separator: ", ")). Un traitement avec close_after a fermé l’appel à son dernier événement."
      )
    case .nothing(let reason):
      add(
        "no_call_log", nil,
        "The events that are there give no call log (\(reason)). It was made from more events, or by another program.",
        "Les événements présents ne donnent pas de journal (\(reason)). Il a été fait avec plus d’événements, ou par un autre programme."
      )
      return facts
    }
    if reasons.isOriginate {
      add(
        "originate", nil, "The call began through a pair of Local channels (click to call).",
        "L’appel a commencé par une paire de canaux Local (clic pour appeler).")
    }
    let caller = reasons.start.event.flatMap { id in
      timeline.events.firstIndex { $0.id == id }.map { timeline.channels[timeline.readings[$0].channel] }
    }
    if let caller {
      add(
        "caller", reasons.start.event, "The caller is \(who(caller)): this channel started first.",
        "L’appelant est \(who(caller)) : ce canal a commencé le premier.")
    }
    if reasons.answer.event != nil {
      add(
        "answer", reasons.answer.event,
        reasons.isOriginate
          ? "The call was answered when the called channel entered the bridge for the last time."
          : "The call was answered when the caller entered a bridge with a person. An ANSWER alone is no proof of one: queues and mailboxes answer, too.",
        reasons.isOriginate
          ? "L’appel a reçu une réponse quand le canal appelé est entré pour la dernière fois dans le pont."
          : "L’appel a reçu une réponse quand l’appelant est entré dans un pont avec une personne. Un ANSWER seul ne le prouve pas : files et messageries répondent aussi."
      )
    } else {
      add(
        "answer", nil, "Nobody answered: the caller entered no bridge with a person.",
        "Personne n’a répondu : l’appelant n’est entré dans aucun pont avec une personne.")
    }
    if let kind = reasons.direction.kind {
      let direction = kind == .incall ? say("inbound", "entrant") : say("outbound", "sortant")
      add(
        "direction", reasons.direction.event, "The call is \(direction), because the dialplan says so (\(kind.rawValue)).",
        "L’appel est \(direction), car le plan d’appel le dit (\(kind.rawValue)).")
    } else {
      add(
        "direction", nil, "No event says that the call came from outside or went there, so it is internal.",
        "Aucun événement ne dit que l’appel vient de l’extérieur ou y va : il est interne.")
    }
    if reasons.end.event != nil {
      add("end", reasons.end.event, "The call ended with the caller’s channel.", "L’appel a fini avec le canal de l’appelant.")
    }
    if !reasons.differing.isEmpty {
      let names = reasons.differing.map(name).joined(separator: ", ")
      add(
        "differs", nil,
        "The stored call log says something else in: \(names). It was made from other events or with other settings, or by another program.",
        "Le journal enregistré dit autre chose pour : \(names). Il a été fait avec d’autres événements ou réglages, ou par un autre programme."
      )
    }
    return facts
  }

  private func name(_ fact: CallReasons.Fact) -> String {
    switch fact {
    case .start: say("start", "début")
    case .answer: say("answer", "réponse")
    case .direction: say("direction", "sens")
    case .end: say("end", "fin")
    }
  }
}
