import Exports
import Foundation
import Listing
import TestSupport
import Testing
import Values

@Suite("A request for an export")
struct RequestTests {
  @Test("has the recordings of visible call logs that are not blocked, as far as they have audio")
  func recordings() throws {
    let scene = try Scene()
    var random = Seeded()
    let tenants = (1...3).map(Scene.uuid)
    var expected: [UUIDValue: Set<String>] = [:]
    for id in 1...30 {
      let (tenant, isBlocked) = (random.pick(tenants), random.oneIn(4))
      try scene.addCallLog(id, tenant: tenant, isBlocked: isBlocked)
      for number in 0..<random.below(3) {
        let path = random.pick([nil, "", "/r/a.wav"])
        try scene.addRecording(id * 100 + number, callLog: id, path: path)
        if !isBlocked, path == "/r/a.wav" { expected[tenant, default: []].insert("\(Scene.uuid(id * 100 + number))") }
      }
    }
    for visible in [[tenants[0]], [tenants[1], tenants[2]], tenants] {
      let wanted = Set(visible.flatMap { expected[$0] ?? [] })
      let export = try scene.request(visible: VisibleTenants(visible) ?? .all)
      #expect((export == nil) == wanted.isEmpty, "\(random)")
      guard let export else { continue }
      let stored = try scene.database.rows(
        "recording_uuid::text FROM call_logd_export_recording WHERE export_uuid = '\(export.uuid)'")
      #expect(Set(stored) == wanted && stored.count == wanted.count, "\(random)")
      #expect(export.status == .pending && export.path == nil && export.tenant == Scene.tenant && export.user == Scene.user)
      #expect(try scene.read(export.uuid) == export)
    }
  }

  @Test("without any audio stores nothing")
  func nothing() throws {
    let scene = try Scene()
    try scene.addCallLog(1)
    #expect(try scene.request() == nil)
    try scene.addRecording(100, callLog: 1, path: nil)
    #expect(try scene.request() == nil)
    var selection = CallLogSelection()
    selection.ids = [5]
    #expect(try scene.request(selection) == nil)
    #expect(try scene.database.value("count(*) FROM call_logd_export") == "0")
  }

  @Test("creates the row of a tenant that has none, and belongs to it alone")
  func tenant() throws {
    let scene = try Scene()
    let other = Scene.uuid(9)
    try scene.addCallLog(1, tenant: other)
    try scene.addRecording(100, callLog: 1)
    let export = try #require(try scene.request())
    let connection = scene.database.admin
    #expect(try ExportRecord.read(export.uuid, tenants: VisibleTenants(Scene.tenant), on: connection) == export)
    #expect(try ExportRecord.read(export.uuid, tenants: VisibleTenants(other), on: connection) == nil)
    #expect(try ExportRecord.read(Scene.uuid(77), tenants: .all, on: connection) == nil)
    try scene.database.run(
      "UPDATE call_logd_export SET requested_at = '2024-05-01 10:02:00.75Z'; DELETE FROM call_logd_tenant WHERE uuid = '\(other)'"
    )
    #expect(try scene.read(export.uuid).fileName == "2024-05-01T10_02_00UTC-\(export.uuid).zip")
    try scene.database.run("DELETE FROM call_logd_export")
    #expect(try scene.database.value("count(*) FROM call_logd_export_request, call_logd_export_recording") == "0")
  }
}
