import Listing
import Values

/// Calls by weekday and hour, as the zone's clocks show them.
struct ChartHeatMap: Sendable {
  let text: PageText
  let words: ChartText
  let links: ChartLinks
  let calls: CallLogStatistics.Calls

  private static let row = 26
  private static let shades: Int64 = 6

  private var most: Int64 { calls.hours.joined().map(\.total).max() ?? 0 }

  var markup: Markup {
    let shades = (1...ChartHeatMap.shades).map { shade -> Markup in
      "<rect class=\"shade\(shade)\" x=\"\((shade - 1) * 10)\" width=\"10\" height=\"10\"/>"
    }
    return """
      <figure class="chart week">
      <figcaption><h3>\(words.heat)</h3>\
      <span class="key">\(words.fewer) <svg width="60" height="10" aria-hidden="true">\(shades)</svg> \(words.more)</span></figcaption>
      <div class="plot">\(axis)\(map)</div>
      <p class="hint">\(busiest)</p>
      \(table)
      </figure>
      """
  }

  /// A weekday, Monday first.
  private func weekday(_ place: Int) -> String { text.weekdays[(place + 1) % 7] }

  private func hours(_ hour: Int) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(two(hour)):00–\(two((hour + 1) % 24)):00"
  }

  private var busiest: Markup {
    var best: (weekday: Int, hour: Int, total: Int64) = (0, 0, 0)
    for (weekday, hours) in calls.hours.enumerated() {
      for (hour, sums) in hours.enumerated() where sums.total > best.total { best = (weekday, hour, sums.total) }
    }
    guard best.total > 1 else { return "" }
    return """
      <span>\(words.busiest) \(weekday(best.weekday)) \(hours(best.hour)), \(words.count(best.total, text))</span>
      """
  }

  private var axis: Markup {
    let labels = (0..<7).map { place -> Markup in
      "<text x=\"40\" y=\"\(place * ChartHeatMap.row + 17)\">\(String(weekday(place).prefix(3)))</text>"
    }
    return "<svg class=\"axis\" width=\"46\" height=\"\(7 * ChartHeatMap.row + 18)\" aria-hidden=\"true\">\(labels)</svg>"
  }

  private var map: Markup {
    let row = ChartHeatMap.row
    let most = max(1, most)
    let times = times
    let cells = calls.hours.enumerated().flatMap { weekday, hours in
      hours.enumerated().map { hour, sums -> Markup in
        // The shade of the least that is not nothing is the first one.
        let shade = (sums.total * ChartHeatMap.shades + most - 1) / most
        let (x, width) = (ChartScale.across((Double(hour) + 0.04) / 24), ChartScale.across(0.92 / 24))
        let share = sums.total > 0 ? ", \(text.answered) \(words.percent(sums.share))" : ""
        let title =
          "\(self.weekday(weekday)) \(self.hours(hour)): \(words.count(sums.total, text))\(share)"
        let rect: Markup = """
          <title>\(title)</title><rect class="shade\(shade)" x="\(x)" width="\(width)" y="\(weekday * row + 1)" height="\(row - 2)" rx="2"/>
          """
        guard sums.total > 0, let time = times[weekday * 24 + hour], let list = links.list(time.start, time.end) else {
          return "<g>\(rect)</g>"
        }
        return "<a href=\"\(list)\" aria-label=\"\(title)\">\(rect)</a>"
      }
    }
    let labels = stride(from: 0, to: 24, by: 3).map { hour -> Markup in
      let mark: Markup = hour % 6 == 0 ? "" : " class=\"minor\""
      let label = hour < 10 ? "0\(hour)" : "\(hour)"
      return "<text\(mark) x=\"\(ChartScale.across((Double(hour) + 0.1) / 24))\" y=\"\(7 * row + 14)\">\(label)</text>"
    }
    let role: Markup = times.isEmpty ? "img" : "group"
    return """
      <svg class="map" width="100%" height="\(7 * row + 18)" role="\(role)" aria-label="\(words.heat)">\
      <g class="labels" aria-hidden="true">\(labels)</g>\(cells)</svg>
      """
  }

  /// The times of the cells, where the filter's time has each of them once: only then a cell is a
  /// time that a filter can name. A week and no more has such cells.
  private var times: [Int: (start: Timestamp, end: Timestamp)] {
    let zone = links.filter.zone
    guard let range = calls.range, !range.isEmpty else { return [:] }
    let first = zone.day(range.lowerBound).daysSince1970
    let last = zone.day(range.upperBound - 1).daysSince1970
    guard last - first <= 7 else { return [:] }
    var times: [Int: (start: Timestamp, end: Timestamp)] = [:]
    var seen: Set<Int> = []
    for day in first...last {
      let date = CivilDate(daysSince1970: day)
      let weekday = Int(clamping: day + 3 - (day + 3).floorDivided(by: 7) * 7)
      for hour in 0..<24 {
        guard let start = zone.instant(date, second: Int64(hour) * 3600),
          let end = zone.instant(date, second: Int64(hour + 1) * 3600), start < end,
          start < range.upperBound, range.lowerBound < end
        else { continue }
        let cell = weekday * 24 + hour
        times[cell] = seen.insert(cell).inserted ? (start, end) : nil
      }
    }
    return times
  }

  private var table: Markup {
    let heads = (0..<24).map { hour -> Markup in "<th scope=\"col\">\(hour)</th>" }
    let rows = calls.hours.enumerated().map { weekday, hours -> Markup in
      let cells = hours.map { sums -> Markup in "<td>\(words.number(sums.total))</td>" }
      return "<tr><th scope=\"row\">\(self.weekday(weekday))</th>\(cells)</tr>\n"
    }
    return """
      <details><summary>\(words.table)</summary><div class="wide" tabindex="0" role="group" aria-label="\(words.table)">\
      <table class="figures"><thead><tr><th scope="col">\(words.weekday)</th>\(heads)</tr></thead><tbody>\(rows)</tbody></table></div></details>
      """
  }
}
