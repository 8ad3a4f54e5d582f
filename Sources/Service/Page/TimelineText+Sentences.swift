import Timelines

extension TimelineText {
  /// What an event meant, as a sentence.
  func sentence(_ reading: Timeline.Reading, in timeline: Timeline) -> String {
    let channel = timeline.channels[reading.channel]
    let (who, detail) = (who(channel), reading.detail)
    let peers = names(reading.peers, in: timeline)
    if channel.role == .local || channel.role == .asterisk { return helper(reading) }
    switch reading.meaning {
    case .callStarts:
      return detail.isEmpty
        ? say("\(who) begins the call.", "\(who) commence l’appel.")
        : say("\(who) dials \(detail).", "\(who) compose le \(detail).")
    case .rings: return say("\(who) is called, and rings.", "\(who) est appelé et sonne.")
    case .answers:
      return channel.role == .caller
        ? say("The channel of \(who) is answered.", "Le canal de \(who) est décroché.") : say("\(who) answers.", "\(who) répond.")
    case .applicationStarts: return say("The dialplan runs \(detail) for \(who).", "Le plan d’appel lance \(detail) pour \(who).")
    case .applicationEnds: return say("\(detail) ends for \(who).", "\(detail) finit pour \(who).")
    case .entersQueue: return say("\(who) enters a queue and waits.", "\(who) entre dans une file et attend.")
    case .entersVoicemail: return say("\(who) reaches a mailbox.", "\(who) arrive à une messagerie.")
    case .talks: return say("\(who) talks with \(peers).", "\(who) parle avec \(peers).")
    case .entersBridge: return say("\(who) is ready to talk.", "\(who) est prêt à parler.")
    case .entersHoldingBridge: return say("\(who) waits in a bridge.", "\(who) attend dans un pont.")
    case .leavesBridge: return say("\(who) stops talking.", "\(who) cesse de parler.")
    case .isHeld: return say("\(who) is put on hold.", "\(who) est mis en attente.")
    case .holds: return say("\(who) puts the others on hold.", "\(who) met les autres en attente.")
    case .holdEnds: return say("The hold of \(who) ends.", "L’attente de \(who) prend fin.")
    case .soundStarts:
      return detail.isEmpty
        ? say("\(who) hears music.", "\(who) entend de la musique.")
        : say("\(who) hears “\(detail)”.", "\(who) entend « \(detail) ».")
    case .soundEnds: return say("The sound ends for \(who).", "Le son finit pour \(who).")
    case .parks: return say("\(who) is parked.", "\(who) est parqué.")
    case .unparks: return say("\(who) is parked no longer.", "\(who) n’est plus parqué.")
    case .transfersBlindly:
      let whom = peers.isEmpty ? say("the call", "l’appel") : peers
      return say(
        "\(who) transfers \(whom) to \(detail), without asking first.", "\(who) transfère \(whom) vers \(detail), sans annonce.")
    case .transfersAttended:
      return reading.peers.count == 2
        ? say("\(who) connects \(peers), and leaves.", "\(who) met en relation \(peers), et quitte l’appel.")
        : say("\(who) transfers the call after asking.", "\(who) transfère l’appel après l’avoir annoncé.")
    case .isPickedUp:
      let whose = peers.isEmpty ? say("Somebody", "Quelqu’un") : peers
      return say("\(whose) picks up the call that rings at \(who).", "\(whose) intercepte l’appel qui sonne chez \(who).")
    case .forwards: return say("The call of \(who) is sent on to \(detail).", "L’appel de \(who) est renvoyé vers \(detail).")
    case .key: return say("\(who) presses a key.", "\(who) appuie sur une touche.")
    case .hangsUp:
      let cause = cause(detail)
      return cause.isEmpty
        ? say("\(who) is disconnected.", "\(who) est déconnecté.")
        : say("\(who) is disconnected: \(cause).", "\(who) est déconnecté : \(cause).")
    case .channelEnds: return say("The channel of \(who) ends.", "Le canal de \(who) prend fin.")
    case .callEnds: return say("The last channel of the call has ended.", "Le dernier canal de l’appel a pris fin.")
    default: return said(reading, who)
    }
  }

  /// What an event meant whose channel belongs to nobody.
  private func helper(_ reading: Timeline.Reading) -> String {
    switch reading.meaning {
    case .helperStarts: say("Asterisk makes a helper channel.", "Asterisk crée un canal auxiliaire.")
    case .helperIsOptimized: say("A helper channel is no longer needed.", "Un canal auxiliaire n’est plus utile.")
    case .applicationStarts, .entersQueue, .entersVoicemail:
      say(
        "The dialplan runs \(reading.detail) for a helper channel.",
        "Le plan d’appel lance \(reading.detail) pour un canal auxiliaire.")
    case .isForwarded, .comesIn, .goesOut, .isMissed, .isBlocked, .isAnnounced,
      .isRequested, .isOriginated, .recordingStarts, .recordingStops:
      said(reading, say("a helper channel", "un canal auxiliaire"))
    default: say("This concerns a helper channel alone.", "Cela ne concerne qu’un canal auxiliaire.")
    }
  }

  /// What an event of the dialplan meant.
  private func said(_ reading: Timeline.Reading, _ who: String) -> String {
    let detail = reading.detail
    switch reading.meaning {
    case .recordingStarts: return say("A recording of \(who) begins.", "Un enregistrement de \(who) commence.")
    case .recordingStops: return say("A recording of \(who) ends.", "Un enregistrement de \(who) finit.")
    case .comesIn: return say("The call comes from outside.", "L’appel vient de l’extérieur.")
    case .goesOut: return say("The call goes outside.", "L’appel va vers l’extérieur.")
    case .isDialled: return say("The dialled number is \(detail).", "Le numéro composé est le \(detail).")
    case .isForwarded: return say("The call is forwarded.", "L’appel est renvoyé.")
    case .isAnnounced: return say("The dialplan says whom the call is for.", "Le plan d’appel dit à qui l’appel est destiné.")
    case .isRequested:
      return say("The dialplan names the extension that was asked for.", "Le plan d’appel nomme le numéro interne demandé.")
    case .isMissed: return say("The called user misses the call.", "L’utilisateur appelé manque l’appel.")
    case .isBlocked: return say("The called user has blocked this caller.", "L’utilisateur appelé a bloqué cet appelant.")
    case .conferenceIsNamed: return say("The dialplan names the conference.", "Le plan d’appel nomme la conférence.")
    case .isOriginated:
      return say(
        "The call was asked for by a program, for all lines of a user.",
        "L’appel a été demandé par un programme, pour toutes les lignes d’un utilisateur.")
    default:
      return detail.isEmpty
        ? say("An event of an unknown kind.", "Un événement de type inconnu.")
        : say("The event \(detail) says nothing for call logs.", "L’événement \(detail) ne dit rien pour les journaux.")
    }
  }

  /// A cause of a release in words (ITU-T Q.850). Empty where the number says nothing.
  private func cause(_ number: String) -> String {
    switch number {
    case "16": say("the usual end", "fin normale")
    case "17": say("busy", "occupé")
    case "18", "19": say("no answer", "pas de réponse")
    case "20": say("not registered", "non enregistré")
    case "21": say("refused", "refusé")
    case "22", "1", "28": say("there is no such number", "ce numéro n’existe pas")
    case "26": say("somebody else answered", "quelqu’un d’autre a répondu")
    case "27", "38", "41", "42", "34", "44": say("the network could not carry the call", "le réseau n’a pas pu acheminer l’appel")
    case "", "0", "127": ""
    default: say("cause \(number)", "cause \(number)")
    }
  }
}
