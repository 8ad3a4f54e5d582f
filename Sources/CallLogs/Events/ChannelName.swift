import Values

/// What the name of a channel, such as `PJSIP/abc-0000002f`, says about the line behind it.
struct ChannelName {
  /// The technology as it counts for telling lines apart; `SIP` or `sip` for PJSIP.
  let protocolName: Text
  /// The name of the line, such as `abc`.
  let interface: Text

  /// Finds technology and interface anywhere in `name` (`AsyncGoto/SCCP/1011-0000007c` is SCCP, 1011); nil where there are none, as in `Announcer/ARI-01;1` or where the
  /// interface has a character that line names do not have.
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

  /// Whether the channel is one half of a Local channel, behind which there is no line.
  var isLocal: Bool { protocolName == "Local" }

  /// Where the slash after the technology that begins at `at` is; nil where none of the known ones does.
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

  /// Letters, digits and `_`, `-`, `/`, `@`, `#`, `+`, `|`, `*`, and every byte of a multi-byte character.
  private static func isInterface(_ byte: UInt8) -> Bool {
    if byte >= 0x80 { return true }
    return (byte < 64 ? ChannelName.interfaceLow : ChannelName.interfaceHigh) >> UInt64(byte & 0x3F) & 1 != 0
  }

  // The same as bits, for the bytes below 0x40 and those below 0x80.
  private static let interfaceLow: UInt64 = 0x03FF_AC08_0000_0000
  private static let interfaceHigh: UInt64 = 0x17FF_FFFE_87FF_FFFF

  /// The identity of the line behind `name`: what stands before the last `-`, in lower case; Local channels keep their `;1` or `;2`.
  static func lineIdentity(_ name: Text, _ arena: TextArena) -> Text {
    // Without a dash Wazo's program drops the last character; kept, so that both write the same.
    let stem = name.to(name.lastIndex(of: UInt8(ascii: "-")) ?? name.startOfLast(1))
    let lower = arena.lowercased(stem)
    guard name.hasPrefix("Local/") else { return lower }
    return arena.joined(lower, name.from(name.startOfLast(2)))
  }
}

extension TextArena {
  /// `text` in lower case; the text itself where nothing changes.
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
