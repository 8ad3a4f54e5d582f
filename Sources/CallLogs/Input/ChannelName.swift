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
      guard
        let technology = ChannelName.technologies.first(where: {
          name.hasIgnoringCase($0, at: at) && name.has("/", at: at + $0.count)
        })
      else {
        continue
      }
      let first = at + technology.count + 1
      var end = first
      var dash: Int?
      while end < name.count, ChannelName.isInterface(name[end]) {
        if name[end] == 0x2D, end > first { dash = end }
        end += 1
      }
      guard let dash else { continue }
      interface = name[first..<dash]
      let written = name[at..<at + technology.count]
      protocolName = technology == "pjsip" ? (written == "PJSIP" ? "SIP" : "sip") : written
      return
    }
    return nil
  }

  /// Whether the channel is one half of a Local channel, behind which there is no line.
  var isLocal: Bool { protocolName == "Local" }

  private static var technologies: [Text] { ["pjsip", "sip", "sccp", "local", "dahdi", "iax2"] }

  private static func isInterface(_ byte: UInt8) -> Bool {
    isWord(byte) || byte == 0x2D || byte == 0x2F || byte == 0x40 || byte == 0x23 || byte == 0x2B || byte == 0x7C || byte == 0x2A
  }

  /// The identity of the line behind `name`: what stands before the last `-`, in lower case; Local channels keep their `;1` or `;2`.
  static func lineIdentity(_ name: Text, _ arena: TextArena) -> Text {
    // Without a dash Wazo's program drops the last character; kept, so that both write the same.
    let stem = name.to(name.lastIndex(of: 0x2D) ?? name.startOfLast(1))
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
