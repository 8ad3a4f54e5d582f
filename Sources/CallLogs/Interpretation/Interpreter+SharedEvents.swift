import Values

extension Interpreter {
  /// The content of a user event under the key `extra`.
  enum UserPayload {
    /// There is no payload; the event is skipped.
    case missing
    case text(Text)
    /// The payload has another form; the event is skipped and counted.
    case unusable
  }

  /// Reads `{"extra": "…"}`. Interpretation, R21 to R27: a malformed event is skipped and
  /// counted, the call stands.
  mutating func payload(_ event: CEL) -> UserPayload {
    let json = extra(event, keys: "extra")
    switch (json.kind, json.first) {
    case (.missing, _):
      return .missing
    case (.malformed, _):
      // A text that is not JSON counts as missing, as in Wazo's program.
      tally.note(.malformedJSON, event.id)
      return .missing
    case (.object, .text(let text)):
      return .text(text)
    default:
      tally.note(.unexpectedPayload, event.id)
      return .unusable
    }
  }

  /// Reads two keys of `extra`. Counts texts that had to be mended.
  mutating func extra(_ event: CEL, keys first: Text, _ second: Text = .null) -> JSONExtra {
    let json = JSONExtra(event.extra, arena, keys: first, second)
    if json.droppedNUL { tally.note(.nulCharacter, event.id) }
    if json.replacedSurrogate { tally.note(.invalidUTF8, event.id) }
    return json
  }

  /// The text with `%XX` decoded. Counts texts that had to be mended (Interpretation, R26).
  mutating func percentDecoded(_ text: Text, _ event: CEL) -> Text {
    var invalid = false
    var nul = false
    let decoded = arena.percentDecoded(text, invalid: &invalid, nul: &nul)
    if invalid { tally.note(.invalidUTF8, event.id) }
    if nul { tally.note(.nulCharacter, event.id) }
    return decoded
  }

  /// The text of the payload; nil if the event is to be skipped.
  mutating func payloadText(_ event: CEL) -> Text? {
    if case .text(let text) = payload(event) { return text }
    return nil
  }

  /// Sets the tenant. The first one counts; a text that is not a UUID counts as not set
  /// (Interpretation, R79).
  mutating func setTenant(_ text: Text, _ event: CEL) {
    let trimmed = text.trimmed
    guard let tenant = UUIDValue(trimmed) else {
      if !trimmed.isEmpty { tally.note(.unusableTenant, event.id) }
      return
    }
    if let known = raw.tenant {
      if known != tenant { tally.note(.secondTenant, event.id) }
    } else {
      raw.tenant = tenant
    }
  }

  /// Interpretation, R67: the application's whole name is `voicemail`, in any case.
  mutating func readVoicemail(_ event: CEL) {
    let application = event.appname
    guard application.count == 9, application.hasIgnoringCase("voicemail") else { return }
    let data = event.appdata
    let first = data.to(data.firstIndex(of: UInt8(ascii: ",")) ?? data.count)
    let mailbox = first.to(first.firstIndex(of: UInt8(ascii: "&")) ?? first.count)
    let at = mailbox.firstIndex(of: UInt8(ascii: "@"))
    raw.log.reachedVoicemail = true
    raw.voicemailNumber = mailbox.to(at ?? mailbox.count)
    raw.voicemailContext = at.map { mailbox.from($0 + 1) } ?? .null
  }

  /// Whether the caller or a callee enters a holding bridge, which has no other party
  /// (Interpretation, R60).
  mutating func isHoldingBridge(_ event: CEL) -> BridgeKind {
    let json = extra(event, keys: "bridge_id", "bridge_technology")
    switch json.kind {
    case .malformed:
      tally.note(.malformedJSON, event.id)
      return .unknown
    case .scalar:
      tally.note(.unexpectedPayload, event.id)
      return .unreadable
    case .object:
      if case .absent = json.first { return .unknown }
      if case .text(let technology) = json.second, technology == "holding_bridge" { return .holding }
      return .unknown
    default:
      return .unknown
    }
  }

  enum BridgeKind {
    case holding
    /// Another technology, or none. It counts as a bridge with another party.
    case unknown
    /// `extra` is not an object; the event is skipped.
    case unreadable
  }

  /// MIXMONITOR_START on any channel begins a recording. The next MIXMONITOR_STOP with its id ends
  /// it, on any channel (Interpretation, R83 and R84).
  mutating func startRecording(_ event: CEL, at index: Int) {
    let json = extra(event, keys: "mixmonitor_id", "filename")
    switch (json.kind, json.first, json.second) {
    case (.missing, _, _):
      return
    case (.malformed, _, _):
      tally.note(.malformedJSON, event.id)
    case (.object, .text(let id), .text(let path)) where !id.isEmpty && !path.isEmpty:
      let end = stopTime(id, after: index)
      raw.takes.append(
        RawCallLog.Take(start: event.time, end: end, isFinal: end != nil, path: path, uuid: RecordingPath.uuid(path)))
    default:
      tally.note(.unexpectedPayload, event.id)
    }
  }

  /// The time of the first MIXMONITOR_STOP with this id after `index`.
  private mutating func stopTime(_ id: Text, after index: Int) -> Int64? {
    if stops == nil {
      var found: [(index: Int, id: Text)] = []
      // As everywhere, a channel without a CHAN_START is not read (Interpretation, R20).
      let started = Set(events.lazy.filter { $0.type == .chanStart }.map(\.uniqueid))
      for (place, event) in events.enumerated() where event.type == .mixmonitorStop && started.contains(event.uniqueid) {
        let json = extra(event, keys: "mixmonitor_id")
        switch (json.kind, json.first) {
        case (.missing, _): break
        case (.object, .text(let id)) where !id.isEmpty: found.append((place, id))
        case (.malformed, _): tally.note(.malformedJSON, event.id)
        default: tally.note(.unexpectedPayload, event.id)
        }
      }
      stops = found
    }
    return stops?.first { $0.index > index && $0.id == id }.map { events[$0.index].time }
  }

  /// Reads WAZO_CALL_LOG_REQUESTED_INTERNAL: the number and the context that the caller asked for
  /// (Interpretation, R44).
  /// - Returns: whether the event was read
  mutating func readRequestedInternal(_ event: CEL) -> Bool {
    guard let text = payloadText(event) else { return false }
    pairs.read(text)
    guard pairs.count > 0 else {
      tally.note(.unexpectedPayload, event.id)
      return false
    }
    if let number = pairs["number"], !number.isEmpty { raw.log.requestedInternalExten = number }
    if let context = pairs["context"], !context.isEmpty { raw.log.requestedInternalContext = context }
    return true
  }
}

/// The paths of recordings on a Wazo server.
enum RecordingPath {
  /// The uuid in `/var/lib/wazo/sounds/tenants/UUID/monitor/UUID.wav` (Interpretation, R87); nil
  /// for any other path.
  static func uuid(_ path: Text) -> UUIDValue? {
    let folder: Text = "/var/lib/wazo/sounds/tenants/"
    let monitor: Text = "/monitor/"
    let tenantEnd = folder.count + 36
    let uuidStart = tenantEnd + monitor.count
    guard path.count >= uuidStart + 40, path.hasPrefix(folder), path.has(monitor, at: tenantEnd),
      path.has("wav", at: uuidStart + 37),
      path[uuidStart + 36] != UInt8(ascii: "\n")
    else { return nil }
    guard isCanonical(path[folder.count..<tenantEnd]) else { return nil }
    let uuid = path[uuidStart..<uuidStart + 36]
    return isCanonical(uuid) ? UUIDValue(uuid) : nil
  }

  /// Whether the text is in lower case, has version 0 to 5, and one of the variants that Wazo's
  /// pattern of paths allows: `[089ab]`.
  private static func isCanonical(_ text: Text) -> Bool {
    guard UUIDValue(text) != nil else { return false }
    for byte in text.bytes where byte &- UInt8(ascii: "A") < 26 { return false }
    return text[14] <= UInt8(ascii: "5")
      && (text[19] == UInt8(ascii: "0") || text[19] == UInt8(ascii: "8") || text[19] == UInt8(ascii: "9")
        || text[19] == UInt8(ascii: "a") || text[19] == UInt8(ascii: "b"))
  }
}
