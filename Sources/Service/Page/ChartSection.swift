import Listing
import Values

/// The charts of a filter.
struct ChartSection: Sendable {
  /// The statistics, or why there are none.
  enum Part: Sendable {
    case read(CallLogStatistics), tookTooLong, tooManyPeriods, notAsked
  }

  let text: PageText
  let filter: PageFilter
  /// Calls by time.
  let calls: Part
  /// The numbers with most calls, which take longest.
  let top: Part

  private var words: ChartText { .of(text) }
  private var links: ChartLinks { ChartLinks(filter: filter) }

  /// A page of its own, for browsers without JavaScript. The program of the list takes the charts
  /// out of it.
  var page: Markup {
    PageFrame(text: text).page(
      title: words.title, isSignedIn: true, head: ChartSection.head,
      """
      <section class="charts" id="charts">
      <p><a href="\(listAddress)">\(words.back)</a></p>
      <h1>\(words.title)</h1>
      <p class="hint">\(about)</p>
      <h2 class="hidden">\(words.calls)</h2>
      \(content)
      </section>
      """)
  }

  /// What the charts are about, for a page without the form.
  private var about: Markup {
    var parts: [Markup] = []
    if case .read(let statistics) = calls, let range = statistics.calls?.range {
      let times = [range.lowerBound, range.upperBound].map { time in
        "\(words.day(filter.zone.day(time))) \(filter.zone.clockTime(time).prefix(5))"
      }
      parts.append("<span>\(times.joined(separator: " – ")) (\(filter.zone.name))</span>")
    }
    if let box = filter.fields["q"] { parts.append("<bdi>\(box)</bdi>") }
    if let direction = filter.fields["direction"] { parts.append("<span>\(text.text(direction: direction))</span>") }
    if let status = PageFilter.statuses.first(where: { $0.key == filter.fields["status"] })?.value {
      parts.append(text.badge(status))
    }
    return Markup(parts)
  }

  private var listAddress: String {
    let address = filter.address(["after": nil])
    return address.isEmpty ? "./" : "./?" + address
  }

  /// What the head of a page with charts has.
  static let head: Markup = "<link rel=\"stylesheet\" href=\"./charts.css\">"

  /// The place for the charts in the list's page. A link leads to them; the program puts them here.
  static func place(_ text: PageText, _ filter: PageFilter) -> Markup {
    let words = ChartText.of(text)
    return """
      <section class="charts" id="charts" aria-label="\(words.title)" data-loading="\(words.loading)" data-failed="\(words.failed)" data-again="\(words.again)">\
      <h2><a href="\(ChartLinks(filter: filter).charts(nil))">\(words.title)</a></h2></section>
      """
  }

  private var content: Markup {
    var pieces: Markup = ""
    switch calls {
    case .notAsked: break
    case .tookTooLong: pieces = "<p role=\"alert\" class=\"alert\">\(words.tooLong)</p>"
    case .tooManyPeriods: pieces = "<p role=\"alert\" class=\"alert\">\(words.tooMany)</p>"
    case .read(let statistics):
      guard let calls = statistics.calls, calls.whole.total > 0 else {
        return "<div id=\"charts-content\"><p class=\"nothing\">\(words.noneInTime)</p></div>"
      }
      pieces = """
        \(tiles(calls))
        <div class="pair">
        \(ChartBars(text: text, words: words, links: links, calls: calls).markup)
        \(ChartHeatMap(text: text, words: words, links: links, calls: calls).markup)
        </div>
        """
    }
    return "<div id=\"charts-content\">\(pieces)\(who)</div>"
  }

  // MARK: Sums

  private func tiles(_ calls: CallLogStatistics.Calls) -> Markup {
    let whole = calls.whole
    let statuses = ChartBars.statuses.filter { whole.number($0) > 0 || $0 == .answered || $0 == .unknown }
    let list = statuses.map { status -> Markup in
      let number = whole.number(status)
      let name = text.text(status)
      let link: Markup = links.list(status).map { "<a href=\"\($0)\">\(name)</a>" } ?? "\(name)"
      let share = whole.total > 0 ? Double(number) / Double(whole.total) : nil
      return """
        <div class="\(status.rawValue)"><dt>\(link)</dt><dd><strong>\(words.number(number))</strong> <span>\(words.percent(share))</span></dd></div>
        """
    }
    return """
      <dl class="tiles"><div><dt>\(words.calls)</dt><dd><strong>\(words.number(whole.total))</strong></dd></div>\
      \(list)\(talk(whole))</dl>
      """
  }

  /// Calls whose talk is added up for a page. It is not worth seconds of waiting.
  private static let mostTalks = 300_000

  /// The time of talk. Counts that are kept know nothing of it: it comes later.
  private func talk(_ whole: CallLogStatistics.Sums) -> Markup {
    guard let talk = whole.talk else {
      guard whole.total <= ChartSection.mostTalks else { return "" }
      return "<div id=\"charts-talk\" data-pending=\"\"><dt>\(words.talk)</dt><dd><strong>…</strong></dd></div>"
    }
    let average: Markup =
      whole.answered > 0
      ? " <span>\(ShownCall.text(seconds: talk / whole.answered / 1_000_000)) \(words.average)</span>" : ""
    return """
      <div id="charts-talk"><dt>\(words.talk)</dt><dd><strong>\(words.time(microseconds: talk))</strong>\(average)</dd></div>
      """
  }

  // MARK: Who

  private var who: Markup {
    let content: Markup
    switch top {
    case .notAsked: content = "<p class=\"nothing\">\(words.loading)</p>"
    case .tookTooLong, .tooManyPeriods: content = "<p class=\"nothing\">\(words.tooLong)</p>"
    case .read(let statistics):
      content = statistics.top.map { list(words.callers, "from", $0.callers) + list(words.callees, "to", $0.callees) } ?? ""
    }
    var state: Markup = " open"
    if case .notAsked = top { state = "" }
    return """
      <details id="charts-who"\(state)><summary>\(words.who)</summary><div class="pair" id="charts-top">\(content)</div></details>
      """
  }

  private func list(_ title: String, _ key: String, _ parties: [CallLogStatistics.Party]) -> Markup {
    let most = max(1, parties.first?.total ?? 1)
    let rows = parties.map { party -> Markup in
      let name = text.markup(ShownCall.Party(name: party.name, number: party.number))
      let who: Markup = links.list(key, party.number).map { "<a href=\"\($0)\">\(name)</a>" } ?? name
      let answered = Double(party.answered) / Double(most)
      let all = Double(party.total) / Double(most)
      let share = party.total > 0 ? Double(party.answered) / Double(party.total) : nil
      return """
        <tr><th scope="row">\(who)</th><td class="bar"><svg width="100%" height="12" aria-hidden="true">\
        <g class="rest"><rect width="\(ChartScale.across(all))" height="12"/></g>\
        <g class="answered"><rect width="\(ChartScale.across(answered))" height="12"/></g></svg></td>\
        <td>\(words.number(party.total))</td><td>\(words.percent(share))</td></tr>

        """
    }
    return """
      <figure class="chart"><figcaption><h3>\(title)</h3></figcaption>
      <table class="leaders"><thead><tr><th scope="col">\(words.number)</th><td class="bar"></td><th scope="col">\(words.calls)</th>\
      <th scope="col">\(text.answered)</th></tr></thead><tbody>\(rows)</tbody></table></figure>
      """
  }
}
