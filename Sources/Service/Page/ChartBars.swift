import Listing
import Values

/// Calls by time: bars with a piece for each status, and below them the share that was answered.
struct ChartBars: Sendable {
  let text: PageText
  let words: ChartText
  let links: ChartLinks
  let calls: CallLogStatistics.Calls

  private static let height = 138.0
  private static let shareHeight = 30.0
  /// From the bottom to the top.
  static let statuses: [CallLogView.Status] = [.answered, .voicemail, .unknown, .blocked]

  private var zone: PageZone { links.filter.zone }
  private var count: Double { Double(calls.periods.count) }
  private var ticks: [Int64] { ChartScale.ticks(calls.periods.map(\.sums.total).max() ?? 0) }

  var markup: Markup {
    """
    <figure class="chart times">
    <figcaption><h3>\(words.headings[calls.by] ?? words.calls)</h3>\(units)</figcaption>
    <div class="plot">\(axis)\(bars)</div>
    <h4>\(words.share)</h4>
    <div class="plot">\(shareAxis)\(shares)</div>
    <p class="hint aside">\(words.hint)</p>
    \(table)
    </figure>
    """
  }

  /// Links to periods of other lengths.
  private var units: Markup {
    guard let range = calls.range else { return "" }
    let seconds = Double(range.upperBound - range.lowerBound) / 1_000_000
    let lengths: [CallLogStatistics.Unit: Double] = [
      .hour: 3600, .day: 86_400, .week: 604_800, .month: 2_629_800, .year: 31_557_600,
    ]
    let possible = CallLogStatistics.Unit.allCases.filter { unit in
      let periods = seconds / (lengths[unit] ?? 1)
      return unit == calls.by || periods > 2 && periods < Double(CallLogStatistics.mostPeriods) - 2
    }
    guard possible.count > 1 else { return "" }
    let list = possible.map { unit -> Markup in
      let mark: Markup = unit == calls.by ? " aria-current=\"true\"" : ""
      return "<a class=\"by\" href=\"\(links.charts(unit))\"\(mark)>\(words.units[unit] ?? "")</a>"
    }
    return "<span class=\"units\">\(list)</span>"
  }

  // MARK: Bars

  private var axis: Markup {
    let top = Double(ticks.last ?? 1)
    let labels = ticks.map { tick -> Markup in
      let y = ChartScale.down(12 + ChartBars.height * (1 - Double(tick) / top))
      return "<text x=\"40\" y=\"\(y)\">\(words.number(tick))</text>"
    }
    return "<svg class=\"axis\" width=\"46\" height=\"\(Int(ChartBars.height) + 34)\" aria-hidden=\"true\">\(labels)</svg>"
  }

  private var bars: Markup {
    let top = Double(ticks.last ?? 1)
    let height = ChartBars.height
    func y(_ number: Int64) -> Double { 8 + height * (1 - Double(number) / top) }
    let lines = ticks.map { tick -> Markup in
      "<line x1=\"0\" x2=\"100%\" y1=\"\(ChartScale.down(y(tick)))\" y2=\"\(ChartScale.down(y(tick)))\"/>"
    }
    // Few bars would be blocks.
    let fill = count < 15 ? 0.66 : 0.82
    var pieces = [CallLogView.Status: [Markup]]()
    for (place, period) in calls.periods.enumerated() {
      var below: Int64 = 0
      for status in ChartBars.statuses {
        let number = period.sums.number(status)
        guard number > 0 else { continue }
        let (low, high) = (y(below), y(below + number))
        below += number
        let (x, width) = (ChartScale.across((Double(place) + 0.5 - fill / 2) / count), ChartScale.across(fill / count))
        // A gap between the pieces shows where each ends, whatever colours somebody sees.
        let gap = low - high > 3 && below > number ? 1.0 : 0
        pieces[status, default: []].append(
          "<rect x=\"\(x)\" width=\"\(width)\" y=\"\(ChartScale.down(high))\" height=\"\(ChartScale.down(low - high - gap))\"/>")
      }
    }
    let groups = ChartBars.statuses.compactMap { status in
      pieces[status].map { rects -> Markup in "<g class=\"\(status.rawValue)\">\(rects)</g>" }
    }
    let hits = calls.periods.enumerated().map { place, period -> Markup in
      let (x, width) = (ChartScale.across(Double(place) / count), ChartScale.across(1 / count))
      let title = title(period)
      let rect: Markup =
        "<title>\(title)</title><rect class=\"hit\" x=\"\(x)\" width=\"\(width)\" y=\"8\" height=\"\(Int(height))\"/>"
      guard let list = links.list(period.start, period.end) else { return "<g>\(rect)</g>" }
      return "<a href=\"\(list)\" aria-label=\"\(title)\">\(rect)</a>"
    }
    return """
      <svg class="bars" width="100%" height="\(Int(height) + 34)" role="group" aria-label="\(words.headings[calls.by] ?? words.calls)">
      <g class="grid" aria-hidden="true">\(lines)</g>\(hits)<g class="drawn" aria-hidden="true">\(groups)<g class="labels">\(labels)</g></g></svg>
      """
  }

  /// What stands below the bars: round times, as many as there is room for.
  private var labels: [Markup] {
    let step = ChartTicks(calls: calls, zone: zone)
    let y = Int(ChartBars.height) + 26
    return step.places.map { place, isMinor in
      let x = Double(place) / count
      let mark: Markup = isMinor ? " class=\"minor\"" : ""
      return """
        <g\(mark)><line x1="\(ChartScale.across(x))" x2="\(ChartScale.across(x))" y1="\(y - 18)" y2="\(y - 12)"/>\
        <text x="\(ChartScale.across(x))" y="\(y)">\(label(calls.periods[place]))</text></g>
        """
    }
  }

  private func label(_ period: CallLogStatistics.Period) -> String {
    let day = zone.day(period.start)
    switch calls.by {
    case .hour:
      let clock = String(zone.clockTime(period.start).prefix(5))
      return clock == "00:00" ? words.day(day, year: false) : clock
    case .day, .week: return words.day(day, year: false)
    case .month: return words.months[Int(clamping: day.month - 1)] + " \(day.year)"
    case .year: return "\(day.year)"
    }
  }

  /// The time of a period in full.
  private func name(_ period: CallLogStatistics.Period) -> String {
    let day = zone.day(period.start)
    switch calls.by {
    case .hour:
      return "\(text.text(day)), \(zone.clockTime(period.start).prefix(5))–\(zone.clockTime(period.end).prefix(5))"
    case .day: return text.text(day)
    case .week: return "\(words.day(day)) – \(words.day(zone.day(period.end - 1)))"
    case .month: return "\(text.months[Int(clamping: day.month - 1)]) \(day.year)"
    case .year: return "\(day.year)"
    }
  }

  private func title(_ period: CallLogStatistics.Period) -> String {
    let sums = period.sums
    var parts = [words.count(sums.total, text)]
    for status in ChartBars.statuses where sums.number(status) > 0 {
      let share = status == .answered ? " (\(words.percent(sums.share)))" : ""
      parts.append("\(text.text(status)) \(words.number(sums.number(status)))\(share)")
    }
    return "\(name(period)): \(parts.joined(separator: ", "))"
  }

  // MARK: The share

  private var shareAxis: Markup {
    let labels = [(1.0, "100\u{A0}%"), (0, "0")].map { part, label -> Markup in
      "<text x=\"40\" y=\"\(ChartScale.down(10 + ChartBars.shareHeight * (1 - part)))\">\(label)</text>"
    }
    return "<svg class=\"axis\" width=\"46\" height=\"\(Int(ChartBars.shareHeight) + 12)\" aria-hidden=\"true\">\(labels)</svg>"
  }

  private var shares: Markup {
    func x(_ place: Int) -> String { ChartScale.across((Double(place) + 0.5) / count) }
    func y(_ share: Double) -> String { ChartScale.down(6 + ChartBars.shareHeight * (1 - share)) }
    let lines = [0.0, 0.5, 1].map { part -> Markup in "<line x1=\"0\" x2=\"100%\" y1=\"\(y(part))\" y2=\"\(y(part))\"/>" }
    let all = calls.periods.map(\.sums.share)
    var pieces: [Markup] = []
    for (place, share) in all.enumerated() {
      guard let share else { continue }
      if place > 0, let before = all[place - 1] {
        pieces.append("<line x1=\"\(x(place - 1))\" y1=\"\(y(before))\" x2=\"\(x(place))\" y2=\"\(y(share))\"/>")
      }
      let isAlone = (place == 0 || all[place - 1] == nil) && (place == all.count - 1 || all[place + 1] == nil)
      if isAlone || all.count <= 35 { pieces.append("<circle cx=\"\(x(place))\" cy=\"\(y(share))\" r=\"2.5\"/>") }
    }
    return """
      <svg class="shares" width="100%" height="\(Int(ChartBars.shareHeight) + 12)" role="img" \
      aria-label="\(words.share): \(words.percent(calls.whole.share))">\
      <g class="grid">\(lines)</g><g class="answered">\(pieces)</g></svg>
      """
  }

  // MARK: The table

  private var table: Markup {
    let statuses = ChartBars.statuses.filter { $0 != .blocked || calls.whole.blocked > 0 }
    let heads = statuses.map { status -> Markup in "<th scope=\"col\">\(text.text(status))</th>" }
    let rows = calls.periods.map { period -> Markup in
      let cells = statuses.map { status -> Markup in "<td>\(words.number(period.sums.number(status)))</td>" }
      return """
        <tr><th scope="row">\(name(period))</th><td>\(words.number(period.sums.total))</td>\(cells)\
        <td>\(words.percent(period.sums.share))</td></tr>

        """
    }
    return """
      <details><summary>\(words.table)</summary><div class="wide" tabindex="0" role="group" aria-label="\(words.table)">\
      <table class="figures"><thead><tr><th scope="col">\(words.period)</th><th scope="col">\(words.calls)</th>\(heads)\
      <th scope="col">\(words.share)</th></tr></thead><tbody>\(rows)</tbody></table></div></details>
      """
  }
}

extension CallLogStatistics.Sums {
  /// The calls of a status.
  func number(_ status: CallLogView.Status) -> Int64 {
    switch status {
    case .answered: answered
    case .blocked: blocked
    case .voicemail: voicemail
    case .unknown: unknown
    }
  }
}

/// Which periods have a label below their bars.
struct ChartTicks {
  /// Their places, and whether a narrow window leaves them out.
  let places: [(place: Int, isMinor: Bool)]

  private static let most = 9

  init(calls: CallLogStatistics.Calls, zone: PageZone) {
    let steps: [Int64] =
      switch calls.by {
      case .hour: [1, 2, 3, 6, 12, 24, 48, 72]
      case .day: [1, 2, 7, 14, 28, 56, 112]
      case .week: [1, 2, 4, 8, 13, 26, 52, 104]
      case .month: [1, 2, 3, 6, 12, 24, 60]
      case .year: [1, 2, 5, 10, 20, 50, 100]
      }
    let count = calls.periods.count
    let step = steps.first { Int64(count) / $0 <= Int64(ChartTicks.most) } ?? steps[steps.count - 1]
    let chosen = calls.periods.indices.filter { place in
      let start = calls.periods[place].start
      let day = zone.day(start)
      let number: Int64 =
        switch calls.by {
        case .hour: zone.wallSeconds(start).floorDivided(by: 3600)
        // Weeks begin on Monday.
        case .day: step < 7 ? Int64(place) : day.daysSince1970 + 3
        case .week: Int64(place)
        case .month: day.year * 12 + day.month - 1
        case .year: day.year
        }
      // A label at the right edge would be cut off.
      return number - number.floorDivided(by: step) * step == 0 && Double(place) / Double(count) < 0.93
    }
    places = chosen.enumerated().map { ($1, !$0.isMultiple(of: 2)) }
  }
}
