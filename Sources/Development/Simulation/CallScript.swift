/// A piece of text of a call: its place in the call's bytes.
struct Text {
  var start: UInt32 = 0
  var count: UInt32 = 0
  /// Whether it holds characters that CSV must quote, or the mark of a channel's name or uniqueid.
  var special = false

  static let empty = Text()
}

/// The column values of a channel's CELs at one moment.
struct ChannelLook {
  var callerName = Text.empty
  var callerNumber = Text.empty
  var ani = Text.empty
  var dnid = Text.empty
  var exten = Text.empty
  var context = Text.empty
  var application = Text.empty
  var applicationData = Text.empty
  var userfield = Text.empty
  /// The channel whose uniqueid is the linkedid.
  var linked = 0
}

/// A channel of a call.
struct ScriptChannel {
  enum Naming {
    /// `PJSIP/<line>-<number>`.
    case numbered
    /// `Local/<exten>@<context>-<number>;1`, and the `;2` of the channel before it.
    case localFirst, localSecond
    /// A name without number.
    case bare
  }

  /// The channel's name up to its number.
  var interface: Text
  var naming: Naming
  /// Set when the channel starts, because the number depends on the other calls of the system.
  var name = Text.empty
  var uniqueid = Text.empty
  var localNumber: UInt32 = 0
  /// The eventtime of the channel's last CEL. Time never goes back within a channel.
  var lastTime: Int64 = 0
}

/// One CEL to come.
struct ScriptRow {
  /// Microseconds after the row before it.
  var delay: Int64
  var event: CELEvent
  var channel: Int
  var look: ChannelLook
  var extra: Text
  var peer: Text
}

/// The CELs of one call in Asterisk's order, and how many of them are written.
struct CallScript {
  var bytes: [UInt8] = []
  var channels: [ScriptChannel] = []
  var rows: [ScriptRow] = []
  /// The next row.
  var position = 0
  /// When the next row is written, in microseconds since 1970-01-01 UTC.
  var time: Int64 = 0
  /// Whether an absent `extra` is NULL, as on some systems, instead of the empty string.
  var absentExtraIsNull = false

  var isOver: Bool { position >= rows.count }

  /// Empties the script for another call, and keeps its memory.
  mutating func reset(time: Int64) {
    bytes.removeAll(keepingCapacity: true)
    channels.removeAll(keepingCapacity: true)
    rows.removeAll(keepingCapacity: true)
    position = 0
    self.time = time
  }

  /// Stores text with the call.
  mutating func keep(_ text: [UInt8]) -> Text {
    guard !text.isEmpty else { return .empty }
    let start = UInt32(truncatingIfNeeded: bytes.count)
    bytes.append(contentsOf: text)
    let special = text.contains { byte in
      byte == UInt8(ascii: "\"") || byte == UInt8(ascii: ",") || byte < UInt8(ascii: " ")
    }
    return Text(start: start, count: UInt32(truncatingIfNeeded: text.count), special: special)
  }
}
