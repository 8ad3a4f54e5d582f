/// Turns rows of scripts into lines of CSV. It assigns the numbers that the whole system counts:
/// CEL ids, and the numbers of uniqueids and of channel names.
struct CELWriter {
  static let header =
    "id,eventtype,eventtime,userdeftype,cid_name,cid_num,cid_ani,cid_rdnis,cid_dnid,exten,context,channame,appname,appdata,"
    + "amaflags,accountcode,peeraccount,uniqueid,linkedid,userfield,peer,extra\n"

  /// Lines not yet taken.
  var buffer: [UInt8] = Array(Self.header.utf8)
  private(set) var cels = 0
  private var nextID: Int64
  private var nextSequence: Int64
  private var nextName: UInt32
  private var nextLocalName: UInt32
  private var timestamps = TimestampWriter()
  private var random: RandomSource

  init(firstID: Int64, random: RandomSource) {
    nextID = firstID
    nextSequence = firstID
    nextName = UInt32(truncatingIfNeeded: firstID)
    nextLocalName = UInt32(truncatingIfNeeded: firstID)
    self.random = random
  }

  /// Writes the next row of a script and advances the script.
  mutating func write(_ script: inout CallScript) {
    let row = script.rows[script.position]
    if row.event == .chanStart { start(row.channel, of: &script) }
    let time = eventTime(of: row, in: &script)

    appendDigits(nextID, to: &buffer)
    separate()
    append(row.event.name)
    separate()
    timestamps.append(time, to: &buffer)
    appendEmptyField()  // userdeftype: Wazo's rows name user events in eventtype
    append(row.look.callerName, of: script)
    append(row.look.callerNumber, of: script)
    append(row.look.ani, of: script)
    appendEmptyField()  // cid_rdnis
    append(row.look.dnid, of: script)
    append(row.look.exten, of: script)
    append(row.look.context, of: script)
    append(script.channels[row.channel].name, of: script)
    append(row.look.application, of: script)
    append(row.look.applicationData, of: script)
    append(",3,\"\",\"\"")  // amaflags, accountcode, peeraccount
    append(script.channels[row.channel].uniqueid, of: script)
    append(script.channels[row.look.linked].uniqueid, of: script)
    append(row.look.userfield, of: script)
    append(row.peer, of: script)
    if row.extra.count == 0 && script.absentExtraIsNull {
      separate()
    } else {
      append(row.extra, of: script)
    }
    buffer.append(UInt8(ascii: "\n"))

    cels += 1
    nextID += 1
    script.position += 1
    if !script.isOver { script.time += script.rows[script.position].delay }
  }

  /// Gives a channel its name and its uniqueid.
  private mutating func start(_ index: Int, of script: inout CallScript) {
    let interface = script.channels[index].interface
    let nameStart = script.bytes.count
    script.bytes.append(contentsOf: script.bytes[Int(interface.start)..<Int(interface.start + interface.count)])
    switch script.channels[index].naming {
    case .numbered:
      appendNumber(nextName, to: &script.bytes)
      nextName &+= 1
    case .localFirst:
      script.channels[index].localNumber = nextLocalName
      appendNumber(nextLocalName, to: &script.bytes)
      nextLocalName &+= 1
      script.bytes.append(contentsOf: [UInt8(ascii: ";"), UInt8(ascii: "1")])
    case .localSecond:
      appendNumber(index > 0 ? script.channels[index - 1].localNumber : 0, to: &script.bytes)
      script.bytes.append(contentsOf: [UInt8(ascii: ";"), UInt8(ascii: "2")])
    case .bare:
      break
    }
    let uniqueidStart = script.bytes.count
    appendDigits(script.time / .second, to: &script.bytes)
    script.bytes.append(UInt8(ascii: "."))
    appendDigits(nextSequence, to: &script.bytes)
    nextSequence += 1
    script.channels[index].name = Text(start: UInt32(nameStart), count: UInt32(uniqueidStart - nameStart))
    script.channels[index].uniqueid = Text(start: UInt32(uniqueidStart), count: UInt32(script.bytes.count - uniqueidStart))
  }

  /// The eventtime of a row, up to 2 ms before it is written. Rows of a channel that happen
  /// together (HANGUP, CHAN_END, LINKEDID_END) have the same microsecond.
  private mutating func eventTime(of row: ScriptRow, in script: inout CallScript) -> Int64 {
    let last = script.channels[row.channel].lastTime
    var time = script.time
    if row.event != .chanStart {
      let before = script.position - 1
      if row.delay == 0 && before >= 0 && script.rows[before].channel == row.channel {
        time = last
      } else if random.below(32) == 0 {
        time = max(last, time - Int64(random.below(2000)))
      }
    }
    script.channels[row.channel].lastTime = time
    return time
  }

  private func appendNumber(_ number: UInt32, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "-"))
    for digit in 0..<8 { bytes.append(hexadecimal(UInt64(number) >> UInt64(28 - digit * 4))) }
  }

  private mutating func separate() {
    buffer.append(UInt8(ascii: ","))
  }

  private mutating func append(_ text: StaticString) {
    buffer.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private mutating func appendEmptyField() {
    append(",\"\"")
  }

  /// Appends a comma and a field. The empty string is `""`, because an empty field would be NULL.
  private mutating func append(_ text: Text, of script: CallScript) {
    if text.count == 0 {
      appendEmptyField()
    } else if text.special {
      appendQuoted(text, of: script)
    } else {
      separate()
      buffer.append(contentsOf: script.bytes[Int(text.start)..<Int(text.start + text.count)])
    }
  }

  private mutating func appendQuoted(_ text: Text, of script: CallScript) {
    append(",\"")
    var position = Int(text.start)
    let end = position + Int(text.count)
    while position < end {
      let byte = script.bytes[position]
      position += 1
      if byte > UInt8(ascii: "\"") {
        buffer.append(byte)
      } else if byte == UInt8(ascii: "\"") {
        append("\"\"")
      } else if (byte == Template.nameMark || byte == Template.uniqueidMark) && position < end {
        let channel = script.channels[Int(script.bytes[position])]
        let known = byte == Template.nameMark ? channel.name : channel.uniqueid
        buffer.append(contentsOf: script.bytes[Int(known.start)..<Int(known.start + known.count)])
        position += 1
      } else {
        buffer.append(byte)
      }
    }
    buffer.append(UInt8(ascii: "\""))
  }
}
