import Files
import Foundation
import Recordings
import TestSupport
import Testing
import Values

@Suite("A recording")
struct FindingTests {
  @Test("is found in the call log of a visible tenant in which the user took part, and nowhere else")
  func find() throws {
    let scene = try Scene()
    var random = Seeded()
    let tenants = (1...3).map(Scene.uuid)
    let users = (11...14).map(Scene.uuid)
    var calls: [Int: (tenant: UUIDValue, users: [UUIDValue])] = [:]
    var recordings: [UUIDValue: (callLog: Int, path: String?)] = [:]
    for id in 1...12 {
      let call = (tenant: random.pick(tenants), users: users.filter { _ in random.oneIn(2) })
      calls[id] = call
      try scene.addCallLog(id, tenant: call.tenant, participants: call.users, isBlocked: random.oneIn(3))
      for number in 0..<random.below(3) {
        let uuid = Scene.uuid(id * 100 + number)
        let recording = (callLog: id, path: random.oneIn(3) ? nil : "/r/\(number).wav")
        recordings[uuid] = recording
        try scene.addRecording(uuid, callLog: id, path: recording.path)
      }
    }
    for _ in 0..<400 {
      let id = random.oneIn(20) ? Int.max : random.below(14)
      let uuid = random.oneIn(8) ? Scene.uuid(999_999) : random.pick(Array(recordings.keys).sorted())
      let visible = random.oneIn(4) ? VisibleTenants.all : VisibleTenants(tenants.filter { _ in random.oneIn(2) }) ?? .all
      let user = random.oneIn(2) ? random.pick(users) : nil
      let found = try Recordings.find(
        uuid, ofCallLog: Int64(id), tenants: visible, participant: user, on: scene.database.admin)
      let what: Comment = "\(uuid) of \(id) for \(visible), \(String(describing: user)), \(random)"
      guard let call = calls[id], visible.contains(call.tenant), user.map({ call.users.contains($0) }) ?? true else {
        #expect(found == .noCallLog, what)
        continue
      }
      guard let recording = recordings[uuid], recording.callLog == id else {
        #expect(found == .noRecording, what)
        continue
      }
      guard let path = recording.path else {
        #expect(found == .deleted, what)
        continue
      }
      guard case .found(let one) = found else {
        Issue.record(what)
        continue
      }
      #expect(one.uuid == uuid && one.callLog == Int32(id) && one.pathText == path, what)
      #expect(one.fileName == "2026-03-02T08_00_03UTC-\(id)-\(uuid).wav", what)
    }
  }

  @Test("is opened below the folder alone: no link, no other folder, no pipe, no folder")
  func open() throws {
    let scene = try Scene()
    let path = try scene.put("audio/t/a.wav", "sound")
    try FileManager.default.createSymbolicLink(atPath: scene.folder + "/out", withDestinationPath: scene.root + "/elsewhere")
    try FileManager.default.createSymbolicLink(atPath: scene.folder + "/link.wav", withDestinationPath: path)
    #expect(mkfifo(scene.folder + "/pipe.wav", 0o600) == 0)
    func opened(_ path: String) -> FileOpening { Recordings.open(path: Array(path.utf8), below: [scene.folder]) }
    guard case .opened(let file) = opened(scene.folder + "//t/./a.wav") else { throw NoFile() }
    var bytes = [UInt8](repeating: 0, count: 10)
    let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 1) }
    #expect(String(decoding: bytes[..<count], as: UTF8.self) == "ound" && file.size == 5)
    for name in ["/out/a.wav", "/link.wav", "/pipe.wav", "/t", "/none.wav", "/t/a.wav/b", "/../elsewhere/a.wav", "", "/"] {
      guard case .missing = opened(scene.folder + name) else {
        Issue.record("\(name) is not missing")
        continue
      }
    }
    guard case .missing = opened(scene.root + "/elsewhere/a.wav") else { throw NoFile() }
    guard case .missing = Recordings.open(path: Array(path.utf8), below: ["/no/such/folder"]) else { throw NoFile() }
    // The second folder has it.
    guard case .opened = Recordings.open(path: Array(path.utf8), below: [scene.root + "/elsewhere", scene.folder]) else {
      throw NoFile()
    }
  }

  @Test("is not opened without the permission, which is no missing file; a folder that cannot be listed is no obstacle")
  func permission() throws {
    let scene = try Scene()
    let path = try scene.put("audio/t/a.wav")
    func opened() -> FileOpening { asNobody { Recordings.open(path: Array(path.utf8), below: [scene.folder]) } }
    #expect(chmod(scene.folder + "/t", 0o711) == 0)
    guard case .opened = opened() else { throw NoFile() }
    #expect(chmod(path, 0) == 0)
    guard case .notPermitted = opened() else { throw NoFile() }
    #expect(chmod(path, 0o644) == 0 && chmod(scene.folder + "/t", 0) == 0)
    guard case .notPermitted = opened() else { throw NoFile() }
    chmod(scene.folder + "/t", 0o755)
  }

  private struct NoFile: Error {}
}
