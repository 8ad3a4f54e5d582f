extension TimelineBuilder {
  /// What an event meant, after it was taken in.
  /// - Parameter wasPaused: whether its channel was on hold before
  func reading(_ event: CallEvent, _ place: Int, wasPaused: Bool = false) -> Timeline.Reading {
    func made(_ meaning: Meaning, _ detail: String = "", peers: [Int] = []) -> Timeline.Reading {
      Timeline.Reading(meaning: meaning, channel: place, peers: peers, detail: detail)
    }
    let details = { event.details }
    switch event.kind {
    case .chanStart:
      if tracks[place].role == .local { return made(.helperStarts) }
      return tracks[place].isDialled ? made(.rings) : made(.callStarts, event.exten == "s" ? "" : event.exten)
    case .chanEnd: return made(.channelEnds)
    case .hangup: return made(.hangsUp, details()["hangupcause"] ?? "")
    case .answer: return made(.answers)
    case .appStart:
      switch event.application.lowercased() {
      case "queue": return made(.entersQueue, event.application)
      case "voicemail": return made(.entersVoicemail, event.application)
      default: return made(.applicationStarts, event.application)
      }
    case .appEnd: return made(.applicationEnds, event.application)
    case .bridgeEnter, .bridgeStart:
      if isHolding(tracks[place].bridge) { return made(.entersHoldingBridge) }
      let peers = peers(of: place)
      return peers.isEmpty ? made(.entersBridge) : made(.talks, peers: peers)
    case .bridgeExit, .bridgeEnd: return made(.leavesBridge)
    case .hold: return made(.holds)
    case .unhold: return made(.holdEnds)
    case .streamBegin:
      if tracks[place].isHeld { return made(.isHeld) }
      let found = details()
      return made(.soundStarts, found["sound"] ?? "")
    case .streamEnd: return wasPaused ? made(.holdEnds) : made(.soundEnds)
    case .parkStart: return made(.parks)
    case .parkEnd: return made(.unparks, details()["reason"] ?? "")
    case .blindTransfer:
      let found = details()
      return made(.transfersBlindly, found["extension"] ?? "", peers: channel(found, "transferee_channel"))
    case .attendedTransfer:
      let found = details()
      return made(
        .transfersAttended, found["app"] ?? "",
        peers: channel(found, "transferee_channel") + channel(found, "transfer_target_channel"))
    case .pickup: return made(.isPickedUp, peers: channel(details(), "pickup_channel"))
    case .forward: return made(.forwards, details()["forward"] ?? "")
    case .dtmf: return made(.key)
    case .localOptimize, .localOptimizeBegin: return made(.helperIsOptimized)
    case .linkedidEnd: return made(.callEnds)
    case .mixmonitorStart: return made(.recordingStarts)
    case .mixmonitorStop: return made(.recordingStops)
    case .incall: return made(.comesIn)
    case .outcall: return made(.goesOut)
    case .fromS: return made(.isDialled, event.exten)
    case .userForward: return made(.isForwarded)
    case .callLogDestination: return made(.isAnnounced)
    case .callLogRequestedInternal: return made(.isRequested)
    case .userMissedCall: return made(.isMissed)
    case .userBlockedCall: return made(.isBlocked)
    case .conference, .meetingName: return made(.conferenceIsNamed)
    case .originateAllLines: return made(.isOriginated)
    case .userDefined, .other: return made(.unknown, event.name)
    }
  }

  /// The channel that `extra` names by its uniqueid, or by its name; none where it is not among the
  /// call's.
  private func channel(_ details: [String: String], _ key: String) -> [Int] {
    let byID = details[key + "_uniqueid"].flatMap { id in tracks.firstIndex { $0.uniqueid == id } }
    return [byID ?? details[key + "_name"].flatMap { placesByName[$0] } ?? details[key].flatMap { placesByName[$0] }]
      .compactMap(\.self)
  }
}
