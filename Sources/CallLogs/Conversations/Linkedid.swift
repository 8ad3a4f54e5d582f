import Values

/// The parts of a linkedid or uniqueid: `1714986000.17`, or `pbx1-1714986000.17` with `systemname`
/// set in asterisk.conf.
struct Linkedid {
  /// The text before the last `-`; empty without one.
  let system: Text
  /// The seconds since 1970; nil if the text has another form.
  let seconds: UInt64?
  /// The number after the dot. It counts from 0 after each start of Asterisk.
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

  /// The smallest of `texts`: by system name as text, then by seconds and sequence as numbers. If
  /// one of them has another form, all are compared as text, so that their order does not matter
  /// (Interpretation, R14).
  static func smallest(_ texts: some Sequence<Text>) -> Text {
    var least: (text: Text, parsed: Linkedid)?
    var leastText: Text?
    var comparable = true
    for text in texts {
      leastText = leastText.map { min($0, text) } ?? text
      let parsed = Linkedid(text)
      if parsed.seconds == nil { comparable = false }
      if let known = least {
        // Equal numbers can be written differently, such as `1.1` and `1.01`.
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
