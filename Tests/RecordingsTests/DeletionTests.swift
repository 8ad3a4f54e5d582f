import Foundation
import PostgreSQL
import Recordings
import TestSupport
import Testing
import Values

@Suite("The deletion of audio")
struct DeletionTests {
  private let tenant = Scene.uuid(1)

  @Test("removes a file with the last recording that names it, however it is spelt, and clears the paths asked for alone")
  func property() throws {
    let scene = try Scene()
    var random = Seeded()
    let names = (0..<6).map { "audio/t/\($0).wav" }
    for name in names where !random.oneIn(6) { try scene.put(name) }
    let outside = scene.root + "/elsewhere/a.wav"
    var paths: [UUIDValue: String] = [:]
    var callLogs: [UUIDValue: Int] = [:]
    for id in 1...10 {
      try scene.addCallLog(id, tenant: tenant)
      for number in 0..<random.below(4) {
        let uuid = Scene.uuid(id * 100 + number)
        let name = scene.root + "/" + random.pick(names)
        let path = random.oneIn(8) ? outside : random.oneIn(3) ? name.replacing("/t/", with: "//t/./") : name
        try scene.addRecording(uuid, callLog: id, path: path)
        (paths[uuid], callLogs[uuid]) = (path, id)
      }
    }
    // A file that nobody ever named stays.
    let wereNamed = Set(paths.values.map { $0.replacing("//t/./", with: "/t/") })
    while !paths.isEmpty {
      let uuid = random.pick(Array(callLogs.keys).sorted())
      let id = Int64(callLogs[uuid] ?? 0)
      let before = Set(names.filter { scene.has(scene.root + "/" + $0) })
      if random.oneIn(2) {
        #expect(
          try Recordings.delete(uuid, ofCallLog: id, tenants: .all, folder: scene.folder, on: scene.database.admin) == .done)
        paths[uuid] = nil
      } else {
        let ids = [id] + (0..<random.below(2)).map { _ in Int64(1 + random.below(10)) }
        #expect(
          try Recordings.delete(ofCallLogs: ids, tenants: .all, folder: scene.folder, on: scene.database.admin) == .done)
        paths = paths.filter { !ids.contains(Int64(callLogs[$0.key] ?? 0)) }
      }
      for uuid in callLogs.keys { #expect(try scene.path(of: uuid) == paths[uuid], "\(random)") }
      let named = Set(paths.values.map { $0.replacing("//t/./", with: "/t/") })
      for name in before {
        let path = scene.root + "/" + name
        #expect(scene.has(path) == (named.contains(path) || !wereNamed.contains(path)), "\(name), \(random)")
      }
      #expect(scene.has(outside) && scene.has(scene.folder + "/nobody's.wav"))
    }
  }

  @Test("of a recording that is not there tells what is missing, and deletes nothing")
  func refused() throws {
    let scene = try Scene()
    let path = try scene.put("audio/a.wav")
    let recording = Scene.uuid(100)
    try scene.addCallLog(1, tenant: tenant)
    try scene.addCallLog(2, tenant: Scene.uuid(2))
    try scene.addRecording(recording, callLog: 1, path: path)
    let (mine, connection) = (VisibleTenants(tenant), scene.database.admin)
    func one(_ uuid: UUIDValue, _ id: Int64, _ tenants: VisibleTenants) throws -> RecordingDeletion {
      try Recordings.delete(uuid, ofCallLog: id, tenants: tenants, folder: scene.folder, on: connection)
    }
    #expect(try one(recording, 1, VisibleTenants(Scene.uuid(2))) == .noCallLog(1))
    #expect(try one(recording, 2, .all) == .noRecording)
    #expect(try one(Scene.uuid(101), 1, mine) == .noRecording)
    #expect(try one(recording, Int64.max, mine) == .noCallLog(Int64.max))
    for (ids, first) in [([1, 99], 99), ([99, 1], 99), ([1, 2], 2), ([1, 2, 99], 2), ([Int64.max, 1], Int64.max)]
      as [([Int64], Int64)]
    {
      #expect(
        try Recordings.delete(ofCallLogs: ids, tenants: mine, folder: scene.folder, on: connection) == .noCallLog(first))
    }
    #expect(try scene.has(path) && scene.path(of: recording) == path)
    #expect(try Recordings.delete(ofCallLogs: [1, 1], tenants: mine, folder: scene.folder, on: connection) == .done)
    #expect(try !scene.has(path) && scene.path(of: recording) == nil)
    #expect(try one(recording, 1, mine) == .done)
  }

  @Test("keeps the path of a file that it may not remove, and of those after it")
  func permission() throws {
    let scene = try Scene()
    let paths = [try scene.put("audio/open/a.wav"), try scene.put("audio/locked/b.wav"), try scene.put("audio/open/c.wav")]
    #expect(chmod(scene.folder + "/open", 0o777) == 0)
    for (index, path) in paths.enumerated() {
      try scene.addCallLog(index + 1, tenant: tenant)
      try scene.addRecording(Scene.uuid(100 + index), callLog: index + 1, path: path)
    }
    let outcome = try asNobody {
      try Recordings.delete(ofCallLogs: [1, 2, 3], tenants: .all, folder: scene.folder, on: scene.database.admin)
    }
    guard case .notRemoved(let recording, _) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(recording.uuid == Scene.uuid(101) && paths.map(scene.has) == [false, true, true])
    #expect(try (100...102).map { try scene.path(of: Scene.uuid($0)) } == [nil, paths[1], paths[2]])
  }

  @Test("forgets no path while the folder is missing or empty: its disk may not be mounted")
  func unmounted() throws {
    let scene = try Scene()
    try scene.addCallLog(1, tenant: tenant)
    for (number, folder) in [scene.root + "/none", scene.root + "/empty"].enumerated() {
      if number == 1 { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
      let uuid = Scene.uuid(100 + number)
      try scene.addRecording(uuid, callLog: 1, path: folder + "/a.wav")
      let outcome = try Recordings.delete(uuid, ofCallLog: 1, tenants: .all, folder: folder, on: scene.database.admin)
      guard case .notRemoved = outcome else {
        Issue.record("\(outcome)")
        continue
      }
      #expect(try scene.path(of: uuid) == folder + "/a.wav")
    }
  }

  @Test("can be done again when the database failed after the file was removed")
  func again() throws {
    let scene = try Scene()
    let path = try scene.put("audio/a.wav")
    let uuid = Scene.uuid(100)
    try scene.addCallLog(1, tenant: tenant)
    try scene.addRecording(uuid, callLog: 1, path: path)
    try scene.database.run(
      """
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
      CREATE TRIGGER fail BEFORE UPDATE ON call_logd_recording FOR EACH ROW EXECUTE FUNCTION fail();
      """)
    func delete() throws -> RecordingDeletion {
      try Recordings.delete(uuid, ofCallLog: 1, tenants: .all, folder: scene.folder, on: scene.database.admin)
    }
    #expect(throws: PostgreSQLError.self) { try delete() }
    #expect(try !scene.has(path) && scene.path(of: uuid) == path)
    try scene.database.run("DROP TRIGGER fail ON call_logd_recording")
    #expect(try delete() == .done)
    #expect(try scene.path(of: uuid) == nil)
  }

  @Test("waits for a run that is about to commit recordings")
  func gate() throws {
    let scene = try Scene()
    let path = try scene.put("audio/a.wav")
    try scene.addCallLog(1, tenant: tenant)
    try scene.addRecording(Scene.uuid(100), callLog: 1, path: path)
    try scene.database.run(
      "INSERT INTO call_logd_checkpoint (id, cel_system, cel_database, cel_table, cel_name) VALUES (7, 1, 1, 1, 'cel')")
    let other = try scene.database.connect()
    defer { other.close() }
    try scene.database.run("SET lock_timeout = '100ms'")
    func delete() throws -> RecordingDeletion {
      try Recordings.delete(ofCallLogs: [1], tenants: .all, folder: scene.folder, on: scene.database.admin)
    }
    try other.transaction(purpose: "A chunk") {
      // As chunks share the gate: the letters calg, and the checkpoint's id.
      _ = try other.query("SELECT pg_advisory_xact_lock_shared(x'63616c67'::int4, 7)", purpose: "A chunk")
      #expect { try delete() } throws: { ($0 as? PostgreSQLError)?.sqlState == .lockNotAvailable }
      #expect(scene.has(path))
    }
    #expect(try delete() == .done)
    #expect(!scene.has(path))
  }
}
