import Values

/// A linkedid or uniqueid taken apart: `1714986000.17`, or `pbx1-1714986000.17` where asterisk.conf sets `systemname`.
struct Linkedid {
  /// What stands before the last `-`, empty without one.
  let system: Text
  /// The epoch, nil where the text has another form.
  let seconds: UInt64?
  /// The number after the dot; counts up from 0 at each start of Asterisk.
  let sequence: UInt64

  init(_ text: Text) {
    let split = text.lastIndex(of: UInt8(ascii: "-"))
    system = split.map { text.to($0) } ?? .empty
    let rest = split.map { text.from($0 + 1) } ?? text
    if let dot = rest.firstIndex(of: UInt8(ascii: ".")), let seconds = rest.to(dot).decimal,
      let sequence = rest.from(dot + 1).decimal
    {
      self.seconds = seconds
      self.sequence = sequence
    } else {
      seconds = nil
      sequence = 0
    }
  }

  /// The smallest of `texts`: by system name as text, seconds and sequence as numbers; as plain text where one of them has another form, so that the
  /// answer does not depend on their order.
  static func smallest(_ texts: some Sequence<Text>) -> Text {
    var least: (text: Text, parsed: Linkedid)?
    var leastText: Text?
    var comparable = true
    for text in texts {
      leastText = leastText.map { min($0, text) } ?? text
      let parsed = Linkedid(text)
      if parsed.seconds == nil { comparable = false }
      if let known = least {
        // Equal numbers can be written in several ways, as `1.1` and `1.01`.
        if comparable, parsed.precedes(known.parsed) || (parsed.equals(known.parsed) && text < known.text) {
          least = (text, parsed)
        }
      } else {
        least = (text, parsed)
      }
    }
    return (comparable ? least?.text : leastText) ?? .empty
  }

  private func precedes(_ other: Linkedid) -> Bool {
    if system != other.system { return system < other.system }
    return (seconds ?? 0, sequence) < (other.seconds ?? 0, other.sequence)
  }

  private func equals(_ other: Linkedid) -> Bool {
    system == other.system && seconds == other.seconds && sequence == other.sequence
  }
}
