import Values

/// The page of one call.
struct CallPage: Sendable {
  let text: PageText
  let call: ShownCall
  let zone: PageZone
  /// Whether its reader sees their own calls alone.
  let isOwn: Bool
  /// What is known of its events.
  let timeline: Markup

  private static let root = "../"

  var markup: Markup {
    PageFrame(text: text, root: CallPage.root).page(
      title: "\(text.call) \(call.id)", isSignedIn: true,
      """
      <article class="call" data-id="\(call.id)">
      <p class="back"><a href="\(CallPage.root)">\(text.back)</a></p>
      <h1>\(text.markup(call.caller)) <span class="arrow" aria-hidden="true">→</span> \(text.markup(call.callee))</h1>
      <p class="facts">\(text.badge(call.status)) \(text.text(direction: call.direction)) · \
      \(call.duration.map { ShownCall.text(seconds: $0) } ?? "–") · \(text.text(zone.day(call.start)))</p>
      \(audio)
      <dl>\(facts)</dl>
      \(timeline)
      </article>
      """)
  }

  private var facts: [Markup] {
    func time(_ time: Timestamp?) -> Markup? {
      time.map { "<time datetime=\"\(PageZone.iso($0))\">\(PageZone.text(zone.day($0))) \(zone.clockTime($0))</time>" }
    }
    let tags = call.tags.map { tag -> Markup in "<bdi class=\"tag\">\(tag)</bdi>" }
    let details = call.details.map { key, value -> Markup in "<div><code>\(key)</code> <bdi>\(value)</bdi></div>" }
    let conversation: Markup =
      "<a href=\"\(CallPage.root)?q=\(PageFilter.encoded("conversation:" + call.conversation))\"><bdi>\(call.conversation)</bdi></a>"
    let all: [(String, Markup?)] = [
      (text.start, time(call.start)), (text.answer, time(call.answer)), (text.end, time(call.end)), (text.zone, "\(zone.name)"),
      (text.caller, text.markup(call.caller)),
      (text.dialled, call.dialled.name.isEmpty && call.dialled.number.isEmpty ? nil : text.markup(call.dialled)),
      (text.callee, text.markup(call.callee)), (text.tags, tags.isEmpty ? nil : Markup(tags)),
      (text.conversation, call.conversation.isEmpty ? nil : conversation),
      (text.details, details.isEmpty ? nil : Markup(details)), ("ID", "\(call.id)"),
    ]
    return all.compactMap { name, value in value.map { "<dt>\(name)</dt><dd>\($0)</dd>" } }
  }

  private var audio: Markup {
    guard !call.recordings.isEmpty else { return "" }
    let items = call.recordings.map { recording -> Markup in
      if recording.isDeleted { return "<li>\(zone.clockTime(recording.start)) <span class=\"none\">\(text.deleted)</span></li>" }
      let path = "\(CallPage.root)1.0\(isOwn ? "/users/me" : "")/cdr/\(call.id)/recordings/\(recording.uuid)/media"
      return """
        <li><span>\(zone.clockTime(recording.start))</span> <audio controls preload="none" src="\(path)"></audio> \
        <a href="\(path)" download="\(recording.fileName)">\(text.download)</a></li>
        """
    }
    return "<section class=\"recordings\"><h2>\(text.recordings)</h2><ul>\(items)</ul></section>"
  }
}
