import API
import Hummingbird
import Recordings
import Values

/// For how many days a tenant keeps what it has.
struct RetentionRoutes: Sendable {
  let desk: Desk

  var routes: [Route] {
    [
      Route(.get, "/retention", .needed { _ in RequiredAccess.readRetention }) { visit in
        let tenant = try await visit.tenant()
        let retention = try await desk.lists.run { try TenantRetention.read(tenant, on: $0) }
        return Answers.json(RetentionAnswer(tenant: tenant, days: retention.own.days, defaults: retention.defaults.days).json)
      },
      Route(.put, "/retention", .needed { _ in RequiredAccess.updateRetention }) { visit in
        let body = try RetentionBody(try await visit.body())
        let tenant = try await visit.tenant()
        let days = RetentionDays(callLogs: body.callLogDays, exports: body.exportDays, recordings: body.recordingDays)
        try await desk.lists.run { try TenantRetention.write(days, of: tenant, on: $0) }
        return Answers.nothing
      },
    ]
  }
}

extension RetentionDays {
  fileprivate var days: (callLogs: Int32?, exports: Int32?, recordings: Int32?) { (callLogs, exports, recordings) }
}
