import API
import CallLogs
import Hummingbird
import Listing
import PostgreSQL
import Store
import Values

/// Lists of call logs, and single ones.
struct CallLogRoutes: Sendable {
  let desk: Desk

  var routes: [Route] {
    [
      Route(.get, "/cdr", .needed { _ in RequiredAccess.listCallLogs }, query: .tokenAndTenant) { visit in
        try await list(visit) { _ in .everybody }
      },
      Route(.get, "/users/me/cdr", .needed { _ in RequiredAccess.listOwnCallLogs }, query: .tokenAndTenant) { visit in
        try await list(visit, isOwn: true) { visit throws(APIError) in .me(try visit.me()) }
      },
      Route(
        .get, "/users/{user_uuid}/cdr", .needed { RequiredAccess.listCallLogs(ofUser: $0.uuid) }, query: .tokenAndTenant
      ) { visit in
        try await list(visit) { .user($0.path.uuid) }
      },
      Route(.get, "/cdr/{cdr_id}", .needed { RequiredAccess.readCallLog($0.callLog) }) { visit in try await one(visit) },
    ]
  }

  private func one(_ visit: Visit) async throws -> Response {
    let tenants = try await visit.tenants(isRecursive: true)
    let id = visit.path.callLog
    let isCSV = visit.wantsCSV(visit.query.first("format")?.value == "csv" ? .csv : nil)
    let bytes = try await desk.lists.run { connection -> [UInt8]? in
      let arena = TextArena()
      // The view's texts are in the arena's memory.
      return try withExtendedLifetime(arena) {
        try CallLogTables.view(ofCallLog: id, tenants: tenants, in: arena, on: connection).map { view in
          var out: [UInt8] = []
          if isCSV {
            let csv = CallLogCSV(recordings: view.recordings.count)
            csv.appendHeader(to: &out)
            csv.append(view, to: &out)
          } else {
            view.appendJSON(to: &out)
          }
          return out
        }
      }
    }
    guard let bytes else { throw APIError.noCallLog(Int64(id)) }
    visit.note.rows = 1
    return isCSV ? CallLogRoutes.csv(bytes) : Answers.json(bytes)
  }

  // MARK: Lists

  private func list(
    _ visit: Visit, isOwn: Bool = false, _ scope: (Visit) throws(APIError) -> ListScope
  ) async throws -> Response {
    let zone = try await desk.timeZone()
    // Parameters are checked before the user, and the user before the tenant.
    _ = try ListParameters(visit.query, scope: isOwn ? .everybody : try scope(visit), zone: zone)
    let scope = try scope(visit)
    let parameters = try ListParameters(visit.query, scope: scope, zone: zone)
    let list = CallLogList(
      parameters, tenants: try await visit.tenants(isRecursive: parameters.isRecursive), isOwn: isOwn,
      takesCounts: desk.takesCounts)
    let query = list.page
    let isCSV = visit.wantsCSV(parameters.format)
    let isShort = query.limit.map { $0 <= ListParameters.defaultLimit } ?? false
    switch (isCSV, isShort) {
    case (false, true): return try await page(list, visit)
    case (true, true): return try await csvPage(query, isOwn, visit)
    case (false, false): return try await stream(visit, "application/json") { try jsonStream(list, visit, $0, $1) }
    case (true, false):
      var response = try await stream(visit, "text/csv; charset=utf-8") { try csvStream(query, isOwn, visit, $0, $1) }
      response.headers[.contentDisposition] = CallLogRoutes.attachment
      return response
    }
  }

  private static let attachment = "attachment; filename=cdr.csv"

  /// A page in JSON. Its counts are made beside it.
  private func page(_ list: CallLogList, _ visit: Visit) async throws -> Response {
    async let total = desk.counts.run { try list.total(on: $0) }
    let (answer, rows, next) = try await desk.lists.run { connection in
      let arena = TextArena()
      return try withExtendedLifetime(arena) {
        var answer = ListAnswer(hidesTags: list.isOwn)
        let page = try CallLogTables.page(of: list.page, most: list.most, on: connection)
        let views = page.ids.isEmpty ? [] : try CallLogTables.views(ofCallLogs: page.ids, in: arena, on: connection)
        for view in views { answer.append(view) }
        return (answer, views.count, list.next(views.last, views.count, page.continuation))
      }
    }
    var whole = answer
    var end = ListEnd(next: next)
    if let filtered = list.filtered(rows, next) {
      end.filtered = filtered
    } else {
      end.filtered = try await desk.counts.run { try list.filtered(on: $0) }
    }
    end.total = try await total
    whole.finish(end, tellsMore: list.tellsMore)
    visit.note.rows = rows
    return Answers.json(whole.out)
  }

  private func csvPage(_ query: CallLogQuery, _ isOwn: Bool, _ visit: Visit) async throws -> Response {
    let (bytes, rows) = try await desk.lists.run { connection -> ([UInt8], Int) in
      let arena = TextArena()
      return try withExtendedLifetime(arena) {
        var views = try CallLogTables.views(of: query, in: arena, on: connection)
        let csv = CallLogCSV(recordings: views.map(\.recordings.count).max() ?? 0)
        var out: [UInt8] = []
        csv.appendHeader(to: &out)
        for place in views.indices {
          views[place].hidesTags = isOwn
          csv.append(views[place], to: &out)
        }
        return (out, views.count)
      }
    }
    visit.note.rows = rows
    return CallLogRoutes.csv(bytes)
  }

  private static func csv(_ bytes: [UInt8]) -> Response {
    Response(
      status: .ok, headers: [.contentType: "text/csv; charset=utf-8", .contentDisposition: attachment],
      body: Answers.body(bytes))
  }

  private typealias Making = @Sendable (Connection, (_ bytes: [UInt8]) throws -> Void) throws -> Void

  private func stream(_ visit: Visit, _ type: String, _ body: @escaping Making) async throws -> Response {
    let stream = desk.streams.stream { connection, writer in
      try connection.transaction(.readOnly, purpose: "Listing call logs") {
        try body(connection) { try writer.write($0) }
      }
    }
    return try await Streams.response(stream, visit, type)
  }

  private func jsonStream(
    _ list: CallLogList, _ visit: Visit, _ connection: Connection, _ write: ([UInt8]) throws -> Void
  ) throws {
    var answer = ListAnswer(hidesTags: list.isOwn)
    var rows = 0
    var last: CallLogSelection.Place?
    try CallLogTables.forEachPage(of: list.page, on: connection) { views in
      for view in views { answer.append(view) }
      rows += views.count
      last = views.last.flatMap { list.place(of: $0) }
      visit.note.rows = rows
      try write(answer.out)
      answer.out = []
    }
    var end = ListEnd(next: list.page.limit.map { rows < $0 } ?? true ? nil : last)
    end.filtered = try list.filtered(rows, end.next) ?? list.filtered(on: connection)
    end.total = try list.total(on: connection)
    answer.finish(end, tellsMore: list.tellsMore)
    try write(answer.out)
  }

  /// Writes a query's call logs in the API's CSV, while somebody reads it.
  /// - Parameter isForSpreadsheets: whether names that a spreadsheet would run get a quote in front
  func csvStream(
    _ query: CallLogQuery, _ isOwn: Bool, _ visit: Visit, isForSpreadsheets: Bool = false, _ connection: Connection,
    _ write: ([UInt8]) throws -> Void
  ) throws {
    let csv = CallLogCSV(
      recordings: try CallLogTables.greatestNumberOfRecordings(query, on: connection), isSpreadsheetSafe: isForSpreadsheets,
      keepsTelephoneNumbers: isForSpreadsheets)
    var out: [UInt8] = []
    csv.appendHeader(to: &out)
    var rows = 0
    try CallLogTables.forEachPage(of: query, on: connection) { views in
      for var view in views {
        view.hidesTags = isOwn
        csv.append(view, to: &out)
      }
      rows += views.count
      visit.note.rows = rows
      try write(out)
      out = []
    }
    try write(out)
  }
}
