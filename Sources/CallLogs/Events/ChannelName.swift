import Values

/// The technology and the line in the name of a channel, such as `PJSIP/abc-0000002f`
/// (Interpretation, R70).
struct ChannelName {
  /// The technology, in the form that distinguishes lines: `SIP` or `sip` for PJSIP.
  let protocolName: Text
  /// The name of the line, such as `abc`.
  let interface: Text

  /// Finds technology and line anywhere in `name`: `AsyncGoto/SCCP/1011-0000007c` is SCCP, 1011.
  /// nil without them, as in `Announcer/ARI-01;1`, or if the line has a character that line names
  /// do not allow.
  init?(_ name: Text) {
    var at = 0
    while at < name.count {
      defer { at += 1 }
      guard let slash = ChannelName.endOfTechnology(name, at) else { continue }
      let first = slash + 1
      var end = first
      var dash: Int?
      while end < name.count, ChannelName.isInterface(name[end]) {
        if name[end] == UInt8(ascii: "-"), end > first { dash = end }
        end += 1
      }
      guard let dash else { continue }
      interface = name[first..<dash]
      let written = name[at..<slash]
      protocolName = written.hasIgnoringCase("pjsip") ? (written == "PJSIP" ? "SIP" : "sip") : written
      return
    }
    return nil
  }

  /// Whether the channel is one half of a pair of Local channels. Such a channel has no line.
  var isLocal: Bool { protocolName == "Local" }

  /// The index of the slash after a known technology that begins at `at`; nil without one.
  private static func endOfTechnology(_ name: Text, _ at: Int) -> Int? {
    func end(_ technology: Text) -> Int? {
      let end = at + technology.count
      return name.hasIgnoringCase(technology, at: at) && end < name.count && name[end] == UInt8(ascii: "/") ? end : nil
    }
    switch asciiLowercase(name[at]) {
    case UInt8(ascii: "p"): return end("pjsip")
    case UInt8(ascii: "s"): return end("sip") ?? end("sccp")
    case UInt8(ascii: "l"): return end("local")
    case UInt8(ascii: "d"): return end("dahdi")
    case UInt8(ascii: "i"): return end("iax2")
    default: return nil
    }
  }

  /// Whether line names allow the byte: letters, digits, `_`, `-`, `/`, `@`, `#`, `+`, `|`, `*`,
  /// and all bytes of multi-byte characters.
  private static func isInterface(_ byte: UInt8) -> Bool {
    if byte >= 0x80 { return true }
    return (byte < 64 ? ChannelName.interfaceLow : ChannelName.interfaceHigh) >> UInt64(byte & 0x3F) & 1 != 0
  }

  // The allowed bytes below 0x40 and below 0x80, as bits.
  private static let interfaceLow: UInt64 = 0x03FF_AC08_0000_0000
  private static let interfaceHigh: UInt64 = 0x17FF_FFFE_87FF_FFFF

  /// The line identity of a channel name: the text before the last `-`, in lower case. Local
  /// channels keep their `;1` or `;2` (Interpretation, R29).
  static func lineIdentity(_ name: Text, _ arena: TextArena) -> Text {
    // Without a dash Wazo's program drops the last character. This program does the same, so that
    // both write the same values.
    let stem = name.to(name.lastIndex(of: UInt8(ascii: "-")) ?? name.startOfLast(1))
    let lower = arena.lowercased(stem)
    guard name.hasPrefix("Local/") else { return lower }
    return arena.joined(lower, name.from(name.startOfLast(2)))
  }
}

extension TextArena {
  /// `text` in lower case; the text itself if nothing changes.
  func lowercased(_ text: Text) -> Text {
    var changes = false
    for byte in text.bytes {
      if byte >= 0x80 { return self.text(text.string.lowercased()) }
      if asciiLowercase(byte) != byte { changes = true }
    }
    guard changes else { return text }
    let start = reserve(text.count)
    for index in 0..<text.count { start[index] = asciiLowercase(text[index]) }
    return Text(start: start, count: text.count)
  }
}
