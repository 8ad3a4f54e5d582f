import Recordings
import TestSupport
import Testing
import Values

@Suite("The retention of a tenant")
struct RetentionTests {
  @Test("is what was written last, value by value; an unknown tenant has none, and nothing is made by reading")
  func written() throws {
    let scene = try Scene()
    var random = Seeded()
    var known: [UUIDValue: RetentionDays] = [:]
    func some() -> Int32? { random.pick([nil, 0, 3, .max]) }
    for _ in 0..<60 {
      let tenant = Scene.uuid(random.below(4))
      if random.oneIn(2) {
        let days = RetentionDays(callLogs: some(), exports: some(), recordings: some())
        try TenantRetention.write(days, of: tenant, on: scene.database.admin)
        known[tenant] = days
      }
      let read = try TenantRetention.read(tenant, on: scene.database.admin)
      #expect(read == TenantRetention(own: known[tenant] ?? RetentionDays(), defaults: .builtIn), "\(random)")
    }
    #expect(try scene.database.value("count(*) FROM call_logd_retention") == "\(known.count)")
    #expect(try scene.database.value("count(*) FROM call_logd_tenant") == "\(known.count)")
  }

  @Test("has the stored defaults: those of the configuration, and the last ones where it has none")
  func defaults() throws {
    let scene = try Scene()
    func store(_ days: RetentionDays) throws -> RetentionDays {
      try TenantRetention.storeDefaults(days, on: scene.database.admin)
      return try TenantRetention.read(Scene.uuid(1), on: scene.database.admin).defaults
    }
    #expect(try store(RetentionDays()) == .builtIn)
    #expect(try store(RetentionDays(callLogs: 10, exports: 0)) == RetentionDays(callLogs: 10, exports: 0, recordings: 365))
    #expect(try store(RetentionDays(recordings: 5)) == RetentionDays(callLogs: 10, exports: 0, recordings: 5))
    #expect(
      try scene.database.rows(
        "retention_cdr_days_from_file, retention_export_days_from_file, retention_recording_days_from_file FROM call_logd_config")
        == ["false|false|true"])
  }
}
