import Listing
import Values

/// Rows of the list, by their days.
struct ListRows: Sendable {
  let text: PageText
  let filter: PageFilter
  /// Whether tags are shown: users who see their own calls do not see them.
  let hasTags: Bool

  /// The parts of the table for calls, which are in the list's order.
  func days(_ calls: [ShownCall]) -> [Markup] {
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
      <tr data-id="\(call.id)" data-start="\(call.start)"><td class="time"><a href="./calls/\(call.id)\(zoneQuery)"><time datetime="\(PageZone.iso(call.start))">\
      \(filter.zone.clockTime(call.start))</time></a></td><td class="caller">\(text.markup(call.caller))</td>\
      <td class="arrow"></td><td class="callee">\(text.markup(call.callee))</td>\
      <td class="direction \(call.direction)">\(text.text(direction: call.direction))</td><td class="status">\(text.badge(call.status))</td>\
      <td class="duration">\(call.duration.map { ShownCall.text(seconds: $0) } ?? "–")</td>\(tags)<td class="recorded">\(recorded)</td></tr>

      """
  }

  private var zoneQuery: String { filter.fields["zone"].map { "?zone=" + PageFilter.encoded($0) } ?? "" }
}
