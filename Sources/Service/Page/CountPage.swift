import Listing

/// How many calls a filter has: a page of its own without JavaScript, and a part of the list with
/// it.
struct CountPage: Sendable {
  let text: PageText
  let filter: PageFilter
  /// nil where counting takes too long.
  let tally: CallLogTally?

  var markup: Markup {
    PageFrame(text: text).page(
      title: text.title, isSignedIn: true,
      """
      <section class="notice"><h1>\(text.title)</h1><p id="counts">\(CountPage.counts(tally, text))</p>\
      <p><a href="./?\(filter.address(["after": nil]))">\(text.back)</a></p></section>
      """)
  }

  /// The number of calls, and of answered ones.
  static func counts(_ tally: CallLogTally?, _ text: PageText) -> Markup {
    let own = ListText.of(text)
    guard let tally else { return "<span class=\"none\">\(own.notCounted)</span>" }
    let number = own.number(tally.calls)
    let calls =
      tally.calls == 1 && !tally.isMore ? "1 \(text.one)" : "\(tally.isMore ? text.more + " " : "")\(number) \(text.many)"
    let answered: Markup = tally.calls == 0 ? "" : ", <span id=\"answered\">\(own.answered(tally))</span>"
    return "<strong id=\"count\">\(calls)</strong>\(answered)"
  }
}
