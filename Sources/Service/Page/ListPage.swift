import Listing
import Values

/// The page with the list.
struct ListPage: Sendable {
  let rows: ListRows
  let calls: [ShownCall]
  /// Calls on all pages; nil where they are counted in a request of its own.
  let tally: CallLogTally?
  /// The place behind which the next page begins; nil on the last one.
  let next: String?

  private var text: PageText { rows.text }
  private var own: ListText { .of(rows.text) }
  private var filter: PageFilter { rows.filter }

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
      <button type="button" id="new-calls" title="\(text.newCalls)" data-one="\(own.newCall)" data-many="\(own.newCalls)" \
      data-pause="\(own.pauseHint)" data-resume="\(own.resumeHint)" hidden></button>
      <p id="said" role="status" class="hidden" data-live="\(own.live)" data-paused="\(own.paused)" data-lost="\(own.lost)" data-ended="\(own.ended)" \
      data-copied="\(own.copied)"></p>
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
    // The server checks the fields. Browsers refuse times with seconds, which links may have.
    return """
      <form id="filter" method="get" action="./" role="search" novalidate>
      <div class="field box"><label for="q">\(text.search)</label>\
      <input id="q" name="q" type="search" value="\(value("q"))" placeholder="\(text.searchHint)" autocomplete="off" autocapitalize="off" spellcheck="false" \
      aria-describedby="problems" data-suggestions="\(own.suggestions)"></div>
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
    <div class="chosen">\(ranges)\(chips)\(printed)</div>
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

  /// What the form's fields ask for, for paper: there the form is left out.
  private var printed: Markup {
    let fields = [(text.from, "from"), (text.until, "until"), (text.direction, "direction"), (text.status, "status")]
    let parts = fields.compactMap { label, name -> Markup? in
      filter.fields[name].map { "<span>\(label): \($0.replacing("T", with: " "))</span> " }
    }
    return parts.isEmpty ? "" : "<span class=\"printed\">\(parts)</span>"
  }

  private var summary: Markup {
    let all = filter.address(["after": nil])
    let counts: Markup =
      tally.map { CountPage.counts($0, text) } ?? "<noscript><a href=\"./count?\(all)\">\(own.countThem)</a></noscript>"
    let asked: Markup = tally == nil ? " data-href=\"./count?\(all)\" data-counting=\"\(own.counting)\"" : ""
    let first: Markup =
      filter.fields["after"] == nil ? "" : "<a href=\"./?\(all)\">\(text.first)</a>"
    let guide = (all.isEmpty ? "" : all + "&") + "columns=guide"
    return """
      <div class="summary"><span id="counts" aria-live="polite"\(asked)>\(counts)</span>\(first)\
      <span class="zone">\(text.zone) <span id="zone">\(filter.zone.name)</span></span>\
      <span class="downloads"><a href="./calls.csv?\(all)" download>\(text.csv)</a> \
      <a href="./calls.csv?\(guide)" download>\(text.guideCSV)</a></span></div>
      """
  }

  private var list: Markup {
    guard !calls.isEmpty else {
      return
        "<div class=\"empty\"><h2>\(text.noCalls)</h2><p>\(text.noCallsHint)</p><p><a href=\"./\">\(text.reset)</a></p></div>"
    }
    let tags: Markup = rows.hasTags ? "<th scope=\"col\" class=\"tags\">\(text.tags)</th>" : ""
    let more: Markup =
      next.map {
        "<p class=\"more\"><a id=\"next\" rel=\"next\" href=\"./?\(filter.address(["after": $0]))\">\(text.next)</a></p>"
      } ?? ""
    return """
      <table id="calls">
      <thead><tr><th scope="col" class="time">\(text.time)</th><th scope="col">\(text.caller)</th><td class="arrow"></td>\
      <th scope="col">\(text.callee)</th><th scope="col">\(text.direction)</th><th scope="col">\(text.status)</th>\
      <th scope="col" class="duration">\(text.duration)</th>\(tags)<th scope="col" class="recorded">\(text.recording)</th></tr></thead>
      \(rows.days(calls))
      </table>
      \(more)
      """
  }

  // MARK: Help

  private var help: Markup {
    let operators = [
      "from:101", "to:+33*", "number:*01", "is:answered", "is:missed", "is:voicemail", "is:blocked", "dir:in", "dir:out",
      "dir:internal", "tag:sales", "tag:\"two words\"", "user:\"Ann Lee\"", "user:UUID", "has:recording", "after:2026-03-02",
      "before:2026-03-02T18:00", "conversation:1772438400.17",
    ].map { example -> Markup in "<li><code>\(example)</code></li>" }
    let keys = [
      ("/", text.keySearch), ("j k", text.keyMove), ("Enter", text.keyOpen), ("x", own.keyCopy), ("p", own.keyLive),
      ("⌫", own.keyBackspace), ("?", text.keyHelp),
    ].map { key, meaning -> Markup in "<dt><kbd>\(key)</kbd></dt><dd>\(meaning)</dd>" }
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
    case .noUser: "\(ListText.of(self).noUser) \(problem.text)"
    case .tooManyUsers: "\(ListText.of(self).tooManyUsers) \(problem.text)"
    }
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
