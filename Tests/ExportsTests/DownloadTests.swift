import Exports
import Foundation
import Recordings
import TestSupport
import Testing
import Values

@Suite("A finished export")
struct DownloadTests {
  private func name(_ download: ExportDownload) -> String {
    switch download {
    case .notFound: "not found"
    case .notDone: "not done"
    case .failed: "failed"
    case .opened: "opened"
    case .missing: "missing"
    case .notPermitted: "not permitted"
    }
  }

  @Test("is opened by its path, below the two folders; its status says what else there is")
  func open() throws {
    let scene = try Scene()
    try scene.addCallLog(1)
    let folders = [scene.settings.folder, scene.audio]
    try FileManager.default.createDirectory(atPath: scene.settings.folder, withIntermediateDirectories: true)
    for path in [scene.audio + "/a.zip", scene.settings.folder + "/b.zip", scene.root + "/c.zip", scene.audio + "/locked.zip"] {
      try Data("12345".utf8).write(to: URL(fileURLWithPath: path))
    }
    #expect(chmod(scene.audio + "/locked.zip", 0) == 0)
    let cases: [(String, String?, String)] = [
      ("pending", nil, "not done"), ("processing", nil, "not done"), ("error", nil, "failed"),
      ("error", "\(scene.audio)/a.zip", "failed"), ("deleted", nil, "not found"), ("finished", nil, "not found"),
      ("finished", "\(scene.audio)/a.zip", "opened"), ("finished", "\(scene.settings.folder)/b.zip", "opened"),
      ("finished", "\(scene.root)/c.zip", "missing"), ("finished", "\(scene.audio)/none.zip", "missing"),
      ("finished", "\(scene.audio)/locked.zip", "not permitted"), ("finished", "/etc/hostname", "missing"),
    ]
    for (number, (status, path, expected)) in cases.enumerated() {
      let uuid = Scene.uuid(100 + number)
      try scene.database.run(
        """
        INSERT INTO call_logd_export VALUES ('\(uuid)', '\(Scene.tenant)', '\(Scene.user)', '2020-01-01Z', '\(status)',
          \(path.map { "'\($0)'" } ?? "NULL"))
        """)
      func download(_ tenants: VisibleTenants) throws -> ExportDownload {
        try asNobody { try ExportDownload.open(uuid, tenants: tenants, folders: folders, on: scene.database.admin) }
      }
      #expect(name(try download(.all)) == expected, "\(status) \(path ?? "no path")")
      #expect(name(try download(VisibleTenants(Scene.uuid(55)))) == "not found")
    }
  }

  @Test("is purged after the days of its tenant, or the stored ones, or two; its row stays and says so")
  func purge() throws {
    let scene = try Scene()
    let uuid = try scene.simpleRequest()
    #expect(try scene.steps().next().made == uuid)
    func age(_ hours: Int) throws {
      try scene.database.run("UPDATE call_logd_export SET requested_at = now() - interval '\(hours) hours'")
    }
    try age(47)
    #expect(try scene.steps().purge() == [])
    try TenantRetention.storeDefaults(RetentionDays(exports: 5), on: scene.database.admin)
    try age(5 * 24 - 1)
    #expect(try scene.steps().purge() == [])
    try TenantRetention.write(RetentionDays(exports: .max), of: Scene.tenant, on: scene.database.admin)
    try age(5 * 24 + 1)
    #expect(try scene.steps().purge() == [] && scene.files().count == 1)
    let other = try scene.database.connect()
    defer { other.close() }
    _ = try other.query("SELECT pg_advisory_lock(x'63616c65'::int4, 0)", purpose: "Another service")
    #expect(try scene.steps().purge() == nil)
    _ = try other.query("SELECT pg_advisory_unlock(x'63616c65'::int4, 0)", purpose: "Another service")
    try TenantRetention.write(RetentionDays(exports: 0), of: Scene.tenant, on: scene.database.admin)
    #expect(try scene.steps().purge() == [uuid])
    let stored = try scene.read(uuid)
    #expect(stored.status == .deleted && stored.path == nil && scene.files().isEmpty)
    #expect(try scene.database.value("count(*) FROM call_logd_export_request") == "0")
    #expect(try scene.steps().purge() == [])
  }

  @Test("is not purged while it waits to be made, nor where its file is in another folder")
  func kept() throws {
    let scene = try Scene()
    let uuid = try scene.simpleRequest()
    try scene.database.run("UPDATE call_logd_export SET requested_at = '2020-01-01Z'")
    #expect(try scene.steps().purge() == [])
    #expect(try scene.steps().next().made == uuid)
    let folder = scene.settings.folder
    scene.settings.folder = scene.audio
    #expect(try scene.steps().purge() == [])
    #expect(try scene.read(uuid).status == .finished && scene.recorder.warnings.count == 1)
    scene.settings.folder = folder
    #expect(try scene.steps().purge() == [uuid])
  }
}
