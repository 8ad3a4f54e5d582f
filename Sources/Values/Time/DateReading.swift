/// Dates and times as users write them on the command line.
///
/// The forms are `2025-03-01`, `2025-03-01 10:00` and `2025-03-01 10:00:05`. A `T` may replace the
/// blank. `Z`, `+02:00`, `+0200` or `+02` may follow the time. Without them the time is local time.
/// The manual's page "Dates" describes them.
public enum DateReading {
  /// The end of a range that a text gives.
  public enum Bound: Sendable {
    /// The first instant of the range. A date alone means the beginning of that day.
    case lower
    /// The first instant after the range. A date alone means the beginning of the next day, so that
    /// the range contains the whole day.
    case upper
  }

  /// The instant of `text`, in microseconds since 2000-01-01 UTC.
  ///
  /// A day begins at the first instant at which local clocks show its date. That is 01:00 if clocks
  /// go forward at midnight.
  /// - Throws: ``JobError`` (usage) for a text that is not a date or time, and for a local time
  ///   that clocks skip or show twice. The message says how to write it instead.
  public static func microseconds(_ text: String, as bound: Bound, in zone: LocalZone = .ofThisMachine) throws(JobError) -> Int64
  {
    let written = try Written(text)
    guard let clock = written.clock else {
      let day = written.day + (bound == .upper ? 1 : 0)
      return sinceMillennium(try start(of: day, in: zone), 0)
    }
    let wall = written.day * 86400 + clock.seconds
    if let offset = clock.offset { return sinceMillennium(wall - offset, clock.microseconds) }
    let instants = zone.instants(of: wall)
    if instants.count == 1 { return sinceMillennium(instants[0], clock.microseconds) }
    throw JobError(.usage, explain(text, wall, instants, zone))
  }

  private static func start(of day: Int64, in zone: LocalZone) throws(JobError) -> Int64 {
    let midnight = day * 86400
    if let first = zone.instants(of: midnight).first { return first }
    guard let leap = zone.leap(over: midnight) else {
      throw JobError(.fault, "the beginning of \(WallClockText.date(midnight)) in \(zone.name) cannot be determined")
    }
    return leap.instant
  }

  private static func sinceMillennium(_ seconds: Int64, _ microseconds: Int64) -> Int64 {
    (seconds - Timestamp.secondsFrom1970To2000) * 1_000_000 + microseconds
  }

  /// The message for a local time that clocks skip or show twice, with the ways to write it.
  private static func explain(_ text: String, _ wall: Int64, _ instants: [Int64], _ zone: LocalZone) -> String {
    if let first = instants.first, let last = instants.last {
      return """
        \(text) comes twice in \(zone.name), as the clocks are put back; write \
        \(WallClockText.time(wall, offset: wall - first)) for the first or \(WallClockText.time(wall, offset: wall - last)) for the second
        """
    }
    guard let leap = zone.leap(over: wall) else {
      return "\(text) does not exist in \(zone.name); write it with an offset from UTC"
    }
    return """
      \(text) does not exist in \(zone.name): the clocks are put forward from \(WallClockText.clock(leap.instant + leap.before)) to \
      \(WallClockText.clock(leap.instant + leap.after)); write \(WallClockText.time(wall, offset: leap.before)) (when they show \
      \(WallClockText.clock(wall - leap.before + leap.after))) or \(WallClockText.time(wall, offset: leap.after)) (when they show \
      \(WallClockText.clock(wall - leap.after + leap.before)))
      """
  }
}

/// The text of a local time, given in seconds since 1970.
private enum WallClockText {
  static func date(_ wall: Int64) -> String { String(whole(wall).prefix(10)) }

  static func clock(_ wall: Int64) -> String {
    let text = whole(wall).dropFirst(11).prefix(8)
    return String(text.hasSuffix(":00") ? text.dropLast(3) : text)
  }

  /// The time with its offset, so that the program can read it again.
  static func time(_ wall: Int64, offset: Int64) -> String {
    let magnitude = abs(offset)
    let parts = [magnitude / 3600, magnitude / 60 % 60] + (magnitude % 60 == 0 ? [] : [magnitude % 60])
    let sign = offset < 0 ? "-" : "+"
    return whole(wall).prefix(19) + sign + parts.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
  }

  private static func whole(_ wall: Int64) -> String { TimestampText.text((wall - Timestamp.secondsFrom1970To2000) * 1_000_000) }
}
