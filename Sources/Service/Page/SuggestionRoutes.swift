import API
import Hummingbird
import Listing
import PostgreSQL
import Store
import Values

/// What may stand in the search box, for a term that somebody begins to type.
///
/// Operators and their values come from the page. Tags and names of users come from the newest
/// calls that the reader sees, so that the answer never waits for a walk through all calls.
struct SuggestionRoutes: Sendable {
  let page: PageRoutes

  /// Suggestions of an answer, at most.
  private static let most = 8

  /// A suggestion: a whole term, and what it means.
  struct Suggestion: Equatable, Sendable {
    let term: String
    let meaning: String
  }

  var routes: [Route] {
    [
      Route(.get, "/suggestions", .open) { visit in
        try await page.reading(visit, PageFrame(text: .of(visit.request))) { try await suggestions(visit, $0) }
      }
    ]
  }

  private func suggestions(_ visit: Visit, _ reader: PageReader) async throws -> Response {
    let typed = SearchBox(visit.query.first("term")?.value ?? "")
    let text = PageText.of(visit.request)
    var found: [Suggestion] = []
    if let term = typed.terms.last, typed.terms.count == 1, !term.value.utf8.contains(0) {
      found = SuggestionRoutes.fixed(term, text)
      if ["tag", "user"].contains(term.key) { found += try await known(term, visit, reader) }
    } else if typed.terms.isEmpty {
      found = ListText.of(text).operators.map { Suggestion(term: $0, meaning: $1) }
    }
    visit.note.rows = found.count
    return SuggestionRoutes.answer(found)
  }

  private static func answer(_ found: [Suggestion]) -> Response {
    var json = JSONWriter()
    json.open("[")
    for suggestion in found {
      json.open("{")
      json.string("term", suggestion.term)
      json.string("meaning", suggestion.meaning)
      json.close("}")
    }
    json.close("]")
    var response = Answers.json(json.out)
    response.headers[.cacheControl] = "no-store"
    return response
  }

  /// Operators that begin so, or the values of one that has few.
  static func fixed(_ term: SearchBox.Term, _ text: PageText) -> [Suggestion] {
    let operators = ListText.of(text).operators
    guard let key = term.key else {
      let typed = term.source.lowercased()
      return operators.filter { $0.key.hasPrefix(typed) }.map { Suggestion(term: $0.key, meaning: $0.value) }
    }
    let values: [(String, String)] =
      switch key {
      case "is": PageFilter.statuses.map { ($0.key, text.text($0.value)) }
      case "dir", "direction": [("in", text.inbound), ("out", text.outbound), ("internal", text.internal)]
      case "has": [("recording", text.recording)]
      default: []
      }
    return values.filter { $0.0.hasPrefix(term.value.lowercased()) }.map { Suggestion(term: "\(key):\($0)", meaning: $1) }
  }

  /// Tags and names that the reader may know. Where that takes too long, there are none.
  private func known(_ term: SearchBox.Term, _ visit: Visit, _ reader: PageReader) async throws -> [Suggestion] {
    let isTag = term.key == "tag"
    if isTag, reader.me != nil { return [] }
    var selection = CallLogSelection()
    selection.participant = reader.me
    let query = CallLogQuery(tenants: reader.tenants, selection)
    do {
      let values = try await page.desk.count(for: visit) { connection in
        isTag
          ? try CallLogTables.tags(beginning: term.value, in: query, most: SuggestionRoutes.most, on: connection)
          : try CallLogTables.userNames(
            beginning: term.value, in: query, directory: reader.me == nil, most: SuggestionRoutes.most, on: connection)
      }
      return values.compactMap { value in
        SearchBox.term(key: term.key ?? "", value: value).map { Suggestion(term: $0, meaning: "") }
      }
    } catch let error as PostgreSQLError where error.sqlState == .queryCanceled {
      return []
    }
  }
}
