import Values

/// Where moments of a call stand in its picture: in percent of its width.
struct TimelineScale: Sendable {
  struct Tick: Sendable {
    let place: Double
    let label: String
    /// Whether narrow pictures leave its label out.
    let isFine: Bool
  }

  let start, end: Timestamp
  let ticks: [Tick]

  /// Seconds between ticks, as clocks are read.
  private static let steps: [Int64] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
  ]
  private static let mostTicks = 8
  private static let second = 1_000_000.0

  /// A scale from the first to the last moment. A call of less than a second is as wide as one.
  init(_ start: Timestamp, _ end: Timestamp, zone: PageZone) {
    self.start = start
    // A time that the server cannot have would overflow.
    let least = start.addingReportingOverflow(1_000_000)
    let end = max(end, least.overflow ? start : least.partialValue)
    self.end = end
    let seconds = (Double(end) - Double(start)) / TimelineScale.second
    let days = Int64((seconds / 86_400 / Double(TimelineScale.mostTicks)).rounded(.up))
    let step =
      TimelineScale.steps.first { seconds / Double($0) <= Double(TimelineScale.mostTicks) }
      ?? 86_400 * max(1, min(days, 1_000_000))
    let wall = zone.wallSeconds(start)
    let remainder = start % 1_000_000
    let fraction = Double(remainder < 0 ? remainder + 1_000_000 : remainder) / TimelineScale.second
    var ticks: [Tick] = []
    for number in 0...Int64(TimelineScale.mostTicks) {
      let at = (wall.floorDivided(by: step) + 1 + number) * step
      let place = (Double(at - wall) - fraction) / seconds * 100
      guard place <= 100 else { break }
      let second = at - at.floorDivided(by: 86_400) * 86_400
      let label = TimelineScale.label(second, hasSeconds: step < 60)
      ticks.append(Tick(place: place, label: label, isFine: (at / step) % 2 != 0))
    }
    self.ticks = ticks
  }

  /// The place of a moment, from 0 to 100.
  func place(_ time: Timestamp) -> Double {
    min(max((Double(time) - Double(start)) / (Double(end) - Double(start)) * 100, 0), 100)
  }

  /// A place as an attribute, such as `12.5%`.
  static func text(_ place: Double) -> String {
    let hundredths = Int((place * 100).rounded())
    let (whole, rest) = (hundredths / 100, hundredths % 100)
    return rest == 0 ? "\(whole)%" : "\(whole).\(rest < 10 ? "0" : "")\(rest)%"
  }

  private static func label(_ second: Int64, hasSeconds: Bool) -> String {
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let short = "\(two(second / 3600)):\(two(second / 60 % 60))"
    return hasSeconds ? short + ":" + two(second % 60) : short
  }
}
