import Listing
import Values

/// The page with the list.
struct ListPage: Sendable {
  let text: PageText
  let filter: PageFilter
  let calls: [ShownCall]
  /// Calls on all pages, as far as they were counted; nil where they were not.
  let count: (number: Int, isMore: Bool)?
  /// The place behind which the next page begins; nil on the last one.
  let next: String?
  /// Whether tags are shown: users who see their own calls do not see them.
  let hasTags: Bool

  var markup: Markup {
    PageFrame(text: text).page(
      title: text.title, isSignedIn: true, head: ListPage.head,
      """
      <h1 class="hidden">\(text.title)</h1>
      \(form)
      <div id="results" tabindex="-1">
      \(results)
      </div>
      \(help)
      <dialog id="drawer" aria-label="\(text.call)" data-close="\(text.close)"></dialog>
      <button type="button" id="new-calls" hidden>\(text.newCalls)</button>
      <p id="failure" role="alert" class="alert" hidden>\(text.failed)</p>
      """)
  }

  private static let head: Markup = """
    \(ChartSection.head)
    <script type="module" src="./app.js"></script>
    <script type="module" src="./charts.js"></script>
    """

  // MARK: The form

  private var form: Markup {
    func value(_ name: String) -> String { filter.fields[name] ?? "" }
    let zone: Markup = filter.fields["zone"].map { "<input type=\"hidden\" name=\"zone\" value=\"\($0)\">" } ?? ""
    return """
      <form id="filter" method="get" action="./" role="search">
      <div class="field box"><label for="q">\(text.search)</label>\
      <input id="q" name="q" type="search" value="\(value("q"))" placeholder="\(text.searchHint)" autocomplete="off" spellcheck="false" aria-describedby="problems"></div>
      <button class="main">\(text.searchButton)</button>
      <div class="field date"><label for="from">\(text.from)</label>\
      <input id="from" name="from" type="datetime-local" value="\(value("from"))" title="\(text.untilHint)"></div>
      <div class="field date"><label for="until">\(text.until)</label>\
      <input id="until" name="until" type="datetime-local" value="\(value("until"))" title="\(text.untilHint)"></div>
      <div class="field"><label for="direction">\(text.direction)</label>\
      <select id="direction" name="direction">\(options("direction", text.any, directions))</select></div>
      <div class="field"><label for="status">\(text.status)</label>\
      <select id="status" name="status">\(options("status", text.anyStatus, statuses))</select></div>
      \(zone)
      </form>
      """
  }

  private var directions: [(String, String)] { PageFilter.directions.map { ($0.key, text.text(direction: $0.key)) } }
  private var statuses: [(String, String)] { PageFilter.statuses.map { ($0.key, text.text($0.value)) } }

  private func options(_ name: String, _ any: String, _ choices: [(String, String)]) -> [Markup] {
    let chosen = filter.fields[name] ?? ""
    return ([("", any)] + choices).map { value, label in
      let mark: Markup = value == chosen ? " selected" : ""
      return "<option value=\"\(value)\"\(mark)>\(label)</option>"
    }
  }

  // MARK: The results

  private var results: Markup {
    """
    <div id="problems" class="problems">\(problems)</div>
    <div class="chosen">\(ranges)\(chips)</div>
    \(filter.problems.isEmpty ? ChartSection.place(text, filter) : "")
    \(filter.problems.isEmpty ? summary : "")
    \(filter.problems.isEmpty ? list : "")
    """
  }

  private var problems: Markup {
    guard !filter.problems.isEmpty else { return "" }
    let items = filter.problems.map { problem -> Markup in "<li>\(text.text(problem))</li>" }
    return "<div role=\"alert\" class=\"alert\"><ul>\(items)</ul><p>\(text.notShown)</p></div>"
  }

  /// Links to times that people ask for often.
  private var ranges: Markup {
    let zone = filter.zone
    let today = zone.day(.pageNow)
    let days = today.daysSince1970
    let starts: [(String, CivilDate?)] = [
      (text.all, nil), (text.today, today), (text.week, CivilDate(daysSince1970: days - 6)),
      (text.month, CivilDate(daysSince1970: days - 29)),
      (text.thisMonth, CivilDate(year: today.year, month: today.month, day: 1)),
    ]
    let links = starts.map { label, day -> Markup in
      let from = day.map { PageZone.text($0) + "T00:00" }
      let isChosen = filter.fields["from"] == from && filter.fields["until"] == nil
      let mark: Markup = isChosen ? " aria-current=\"true\"" : ""
      let address = filter.address(["from": from, "until": nil, "after": nil])
      return "<a class=\"range\" href=\"./?\(address)\"\(mark)>\(label)</a>"
    }
    return "<span class=\"ranges\">\(links)</span>"
  }

  /// What the box asks for, each with a way to take it away.
  private var chips: Markup {
    let terms = filter.box.terms
    guard !terms.isEmpty else { return "" }
    let links = terms.indices.map { place -> Markup in
      let address = filter.address(["q": filter.box.text(without: place), "after": nil])
      let term = terms[place].source
      return """
        <a class="chip" href="./?\(address)" aria-label="\(text.remove): \(term)"><bdi>\(term)</bdi><span aria-hidden="true">×</span></a>
        """
    }
    return "<span class=\"chips\">\(links)</span>"
  }

  private var summary: Markup {
    let number: Markup = count.map { "<strong id=\"count\">\(text.count($0.number, isMore: $0.isMore))</strong>" } ?? ""
    let first: Markup =
      filter.fields["after"] == nil ? "" : "<a href=\"./?\(filter.address(["after": nil]))\">\(text.first)</a>"
    let address = filter.address(["after": nil])
    let guide = (address.isEmpty ? "" : address + "&") + "columns=guide"
    return """
      <div class="summary"><span aria-live="polite">\(number)</span>\(first)\
      <span class="zone">\(text.zone) <span id="zone">\(filter.zone.name)</span></span>\
      <span class="downloads"><a href="./calls.csv?\(address)" download>\(text.csv)</a> \
      <a href="./calls.csv?\(guide)" download>\(text.guideCSV)</a></span></div>
      """
  }

  private var list: Markup {
    guard !calls.isEmpty else {
      return
        "<div class=\"empty\"><h2>\(text.noCalls)</h2><p>\(text.noCallsHint)</p><p><a href=\"./\">\(text.reset)</a></p></div>"
    }
    let tags: Markup = hasTags ? "<th scope=\"col\" class=\"tags\">\(text.tags)</th>" : ""
    let more: Markup =
      next.map {
        "<p class=\"more\"><a id=\"next\" rel=\"next\" href=\"./?\(filter.address(["after": $0]))\">\(text.next)</a></p>"
      } ?? ""
    return """
      <table id="calls">
      <thead><tr><th scope="col" class="time">\(text.time)</th><th scope="col">\(text.caller)</th><td class="arrow"></td>\
      <th scope="col">\(text.callee)</th><th scope="col">\(text.direction)</th><th scope="col">\(text.status)</th>\
      <th scope="col" class="duration">\(text.duration)</th>\(tags)<th scope="col" class="recorded">\(text.recording)</th></tr></thead>
      \(days)
      </table>
      \(more)
      """
  }

  private var days: [Markup] {
    var days: [(day: CivilDate, calls: [ShownCall])] = []
    for call in calls {
      let day = filter.zone.day(call.start)
      if days.last?.day == day { days[days.count - 1].calls.append(call) } else { days.append((day, [call])) }
    }
    return days.map { day, calls in
      """
      <tbody data-day="\(PageZone.text(day))"><tr class="day"><th colspan="\(hasTags ? 9 : 8)" scope="rowgroup">\(text.text(day))</th></tr>
      \(calls.map(row))</tbody>
      """
    }
  }

  private func row(_ call: ShownCall) -> Markup {
    let list = call.tags.map { tag -> Markup in "<bdi class=\"tag\">\(tag)</bdi>" }
    let tags: Markup = hasTags ? "<td class=\"tags\">\(list)</td>" : ""
    let kept = call.recordings.filter { !$0.isDeleted }.count
    var recorded: Markup = ""
    if kept > 0 {
      recorded =
        "<span class=\"rec\" title=\"\(text.recording)\"><span class=\"hidden\">\(text.recordings): </span>\(kept)</span>"
    } else if !call.recordings.isEmpty {
      recorded = "<span class=\"none\">\(text.deleted)</span>"
    }
    return """
      <tr data-id="\(call.id)"><td class="time"><a href="./calls/\(call.id)\(zoneQuery)"><time datetime="\(PageZone.iso(call.start))">\
      \(filter.zone.clockTime(call.start))</time></a></td><td class="caller">\(text.markup(call.caller))</td>\
      <td class="arrow" aria-hidden="true">→</td><td class="callee">\(text.markup(call.callee))</td>\
      <td class="direction \(call.direction)">\(text.text(direction: call.direction))</td><td class="status">\(text.badge(call.status))</td>\
      <td class="duration">\(call.duration.map { ShownCall.text(seconds: $0) } ?? "–")</td>\(tags)<td class="recorded">\(recorded)</td></tr>

      """
  }

  private var zoneQuery: String { filter.fields["zone"].map { "?zone=" + PageFilter.encoded($0) } ?? "" }

  // MARK: Help

  private var help: Markup {
    let operators = [
      "from:101", "to:+33*", "number:*01", "is:answered", "is:missed", "is:voicemail", "is:blocked", "dir:in", "dir:out",
      "dir:internal", "tag:sales", "tag:\"two words\"", "user:UUID", "has:recording", "conversation:1772438400.17",
    ].map { example -> Markup in "<li><code>\(example)</code></li>" }
    let keys = [("/", text.keySearch), ("j k", text.keyMove), ("Enter", text.keyOpen), ("?", text.keyHelp)].map {
      key, meaning -> Markup in "<dt><kbd>\(key)</kbd></dt><dd>\(meaning)</dd>"
    }
    return """
      <dialog id="help" aria-label="\(text.help)"><form method="dialog"><button>\(text.close)</button></form>\
      <h2>\(text.operators)</h2><ul class="operators">\(operators)</ul><h2>\(text.keys)</h2><dl>\(keys)</dl></dialog>
      """
  }
}

extension PageText {
  /// What is wrong with a part of the filter.
  func text(_ problem: PageFilter.Problem) -> String {
    switch problem.kind {
    case .badOperator: "\(problem.text) \(badOperator)"
    case .badValue(let possible): "\(problem.text) \(badValue) \(possible)"
    case .twice: "\(twice) \(problem.text)".capitalizedFirst
    case .contradiction: "\(direction), \(status): \(contradiction) \(problem.text)"
    case .badTime: "\(problem.text) \(badTime) 2026-03-02T08:00"
    case .openQuote: "\(openQuote) \(problem.text)"
    case .badZone: "\(problem.text) \(badZone)"
    case .badText: "\(problem.text) \(badText)"
    case .badChoice: "\(problem.text) \(badChoice)"
    case .badPage: "\(problem.text) \(badPage)"
    }
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
