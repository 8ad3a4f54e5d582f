import API
import HTTPTypes
import Hummingbird
import Listing
import PostgreSQL
import Values

extension PageRoutes {
  /// The charts. The list's page asks for them when its rows are there.
  var charts: Route {
    Route(.get, "/charts", .open) { visit in
      try await reading(visit, PageFrame(text: .of(visit.request))) { try await charts(visit, $0) }
    }
  }

  private func charts(_ visit: Visit, _ reader: PageReader) async throws -> Response {
    let (filter, all) = try await filter(visit, reader)
    var query = all
    query.selection.before = nil
    let text = PageText.of(visit.request)
    var problems = filter.problems.map(text.text)
    func choice<Value>(_ name: String, _ read: (String) -> Value?) -> Value? {
      guard let pair = visit.query.first(name) else { return nil }
      let value = read(pair.value ?? "")
      if value == nil { problems.append(text.text(PageFilter.Problem(kind: .badChoice, text: pair.value ?? ""))) }
      return value
    }
    let unit = choice("by") { CallLogStatistics.Unit(rawValue: $0) }
    let wanted = choice("part") { CallLogStatistics.Part(rawValue: $0) }
    guard problems.isEmpty, let zone = CallLogStatistics.Zone(named: filter.zone.name) else {
      let message = problems.joined(separator: " ")
      return PageFrame.response(PageFrame(text: text).notice(text.error, message, isSignedIn: true), .badRequest)
    }
    var question = CallLogStatistics.Question(by: unit, zone: zone, now: .pageNow)
    // Counts that are kept by hour answer at once, and know nothing of talk: it comes by itself.
    (question.parts, question.takesTalk) = wanted == .calls ? ([.calls], true) : ([.talk], false)
    let calls = wanted == .top ? .notAsked : try await read(query, question, visit)
    (question.parts, question.takesTalk) = ([.top], false)
    let top = wanted == nil || wanted == .top ? try await read(query, question, visit) : .notAsked
    var status = HTTPResponse.Status.ok
    if case .tookTooLong = calls { status = .serviceUnavailable }
    if case .tooManyPeriods = calls { status = .badRequest }
    return PageFrame.response(ChartSection(text: text, filter: filter, calls: calls, top: top).page, status)
  }

  private func read(
    _ query: CallLogQuery, _ question: CallLogStatistics.Question, _ visit: Visit
  ) async throws -> ChartSection.Part {
    do {
      return .read(
        try await desk.count(for: visit) {
          try CallLogStatistics.read(query, question, counts: desk.takesCounts ? .kept : nil, on: $0)
        })
    } catch let error as PostgreSQLError where error.sqlState == .queryCanceled {
      return .tookTooLong
    } catch is CallLogStatistics.TooManyPeriods {
      return .tooManyPeriods
    }
  }
}
