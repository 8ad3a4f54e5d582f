import Archive
import Files
import Foundation
import Testing
import Values

@Suite("Manifests")
struct ManifestTests {
  private let sample: SamplePart
  private let callLogs: Manifest
  private let name: PartName

  init() throws {
    sample = try SamplePart()
    name = PartName(kind: .callLogs, month: try #require(Month("2025-03")), number: 1)
    callLogs = ManifestTests.callLogs(name)
  }

  /// A manifest of call logs whose files are nowhere.
  static func callLogs(_ name: PartName) -> Manifest {
    let sum = String(repeating: "0a", count: 32)
    return Manifest(
      part: name, retention: [], tenants: ["99999999-9999-4999-8999-999999999999"], encoding: "UTF8", database: "wazo",
      origin: .init(system: 7_123_456_789_012_345_678, databaseOid: 16_384, table: "call_logd_call_log"), run: 1,
      program: "test", written: "2026-01-01T00:00:00Z",
      files: name.kind.contents.map { content in
        Manifest.File(
          content: content, name: name.file(content), rows: content == .callLogs ? 2 : 0, bytes: 10, sha256: sum,
          contentBytes: 100, contentSha256: sum, leastId: 1, greatestId: 2, leastDate: "2025-03-01T00:00:00+00:00",
          greatestDate: "2025-03-01T00:00:01+00:00",
          columns: content.neededColumns.map { Manifest.Column(name: $0, type: "text") })
      })
  }

  private func refusal(_ manifest: Manifest, _ part: PartName) throws -> String {
    let json = try manifest.json()
    let error = #expect(throws: FileError.self, "\(json)") { _ = try Manifest(json: Array(json.utf8), of: part) }
    #expect(error?.kind == .damaged)
    return try #require(error).description
  }

  /// What is said of one that was changed.
  private func cel(_ change: (inout Manifest) -> Void) throws -> String {
    var changed = sample.manifest
    change(&changed)
    return try refusal(changed, sample.part)
  }

  private func logs(_ change: (inout Manifest) -> Void) throws -> String {
    var changed = callLogs
    change(&changed)
    return try refusal(changed, name)
  }

  @Test("what was written is read again, with and without the database's identity")
  func same() throws {
    #expect(try Manifest(json: Array(callLogs.json().utf8), of: name) == callLogs)
    #expect(try Manifest(json: Array(sample.manifest.json().utf8), of: sample.part) == sample.manifest)
    #expect(try callLogs.json().contains("\"system\" : \"7123456789012345678\""))
    #expect(try !sample.manifest.json().contains("origin"))
  }

  @Test("numbers of rows and ids that cannot be are refused")
  func numbers() throws {
    for rows in [0, -1, 3, Int.max, Int.min, 1 << 62] { #expect(try cel { $0.files[0].rows = rows }.contains("rows")) }
    for bytes in [0, -1, Int.max, Int.min] {
      #expect(try cel { $0.files[0].bytes = bytes }.contains("bytes"))
      #expect(try cel { $0.files[0].contentBytes = bytes }.contains("bytes"))
    }
    #expect(try cel { $0.files[0].leastId = nil }.contains("without ids"))
    #expect(try cel { $0.files[0].greatestId = nil }.contains("without ids"))
    #expect(try cel { $0.files[0].greatestId = 0 }.contains("wrong order"))
    #expect(try cel { $0.files[0].greatestId = 1 }.contains("2 rows"))
    #expect(try cel { $0.files[0].greatestId = .max }.contains("cannot have"))
    #expect(try logs { $0.files[0].greatestId = 1 << 31 }.contains("cannot have"))
    #expect(try logs { $0.files[1].greatestId = 1 << 31 }.contains("cannot have"))
    #expect(try logs { $0.files[2].leastId = 3 }.contains("wrong order"))
    #expect(try logs { $0.files[3].rows = -1 }.contains("rows"))
    #expect(try cel { $0.run = -1 }.contains("run"))
    // As far as a table of CELs can go.
    var widest = sample.manifest
    (widest.files[0].leastId, widest.files[0].greatestId) = (.min, .max - 1)
    #expect(try Manifest(json: Array(widest.json().utf8), of: sample.part).ids == .min ... .max - 1)
  }

  @Test("dates that are missing, in the wrong order or of another month are refused")
  func dates() throws {
    #expect(try cel { $0.files[0].leastDate = nil }.contains("without dates"))
    #expect(try cel { $0.files[0].greatestDate = "soon" }.contains("without dates"))
    #expect(try cel { $0.files[0].greatestDate = "2025-02-01T00:00:00+00:00" }.contains("wrong order"))
    #expect(try cel { $0.files[0].leastDate = "2025-02-28T23:59:59+00:00" }.contains("another month"))
    #expect(try logs { $0.files[0].leastDate = "2025-04-01T00:00:00+00:00" }.contains("wrong order"))
    for written in ["", "yesterday", "2026-13-01T00:00:00Z"] { #expect(try cel { $0.written = written }.contains("not a time")) }
    // Calls go on into the month after.
    var late = sample.manifest
    late.files[0].greatestDate = "2025-04-02T00:00:00+00:00"
    #expect(try Manifest(json: Array(late.json().utf8), of: sample.part) == late)
  }

  @Test("encodings, tenants, databases and columns that cannot be are refused")
  func words() throws {
    for encoding in ["x", "LATIN1", "utf8", "", "UTF8 "] { #expect(try cel { $0.encoding = encoding }.contains("encoding")) }
    #expect(try cel { $0.tenants = callLogs.tenants }.contains("CELs do not have"))
    #expect(try logs { $0.tenants = [] }.contains("no tenant"))
    #expect(try logs { $0.tenants.append("x") }.contains("not a UUID"))
    #expect(try cel { $0.database = "" }.contains("no database"))
    for column in ["id", "linkedid", "eventtime"] {
      #expect(try cel { $0.files[0].columns.removeAll { $0.name == column } }.contains("no column \(column)"))
    }
    for column in ["id", "date", "tenant_uuid", "conversation_id"] {
      #expect(try logs { $0.files[0].columns.removeAll { $0.name == column } }.contains("no column \(column)"))
    }
    #expect(try logs { $0.files[3].columns[0].name = "x" }.contains("no column call_log_id"))
    #expect(try cel { $0.files[0].columns[1].name = "id" }.contains("of one name"))
    #expect(try cel { $0.files[0].columns[1].name = "" }.contains("without a name"))
    #expect(try cel { $0.files[0].columns[1].type = "" }.contains("without a name or a type"))
    #expect(try cel { $0.files[0].sha256 = String(repeating: "g", count: 64) }.contains("SHA-256"))
  }

  @Test("an identity that cannot be read is refused, and proves nothing either")
  func identity() throws {
    #expect(try logs { $0.origin?.system = "seven" }.contains("system identifier"))
    #expect(try logs { $0.origin?.system = "07" }.contains("system identifier"))
    #expect(try logs { $0.origin?.databaseOid = 0 }.contains("oid"))
    #expect(try logs { $0.origin?.databaseOid = 1 << 32 }.contains("oid"))
    #expect(try logs { $0.origin?.tableOid = -1 }.contains("oid"))
    #expect(try logs { $0.origin?.table = "" }.contains("no table"))
    let json = try callLogs.json()
    #expect(Manifest.Ownership(json: Array(json.utf8)) == callLogs.ownership)
    // Of a later format, and damaged elsewhere.
    let later = json.replacing("\"format\" : 1", with: "\"format\" : 9").replacing("\"files\"", with: "\"others\"")
    #expect(Manifest.Ownership(json: Array(later.utf8)) == callLogs.ownership)
    #expect(Manifest.Ownership(json: Array(json.replacing("\"database_oid\"", with: "\"x\"").utf8)) == nil)
    #expect(Manifest.Ownership(json: Array("{".utf8)) == nil)
  }
}

@Suite("Files against their manifest")
struct FileContentTests {
  @Test("ids outside of what the manifest says are found, and rows without one")
  func ids() throws {
    let sample = try SamplePart()
    #expect(try sample.archive.ids(sample.manifest, of: sample.part) == [1, 2])
    func refusal(_ csv: String, rows: Int = 2) throws -> String {
      let other = try SamplePart(csv: csv, rows: rows)
      let error = #expect(throws: FileError.self, "\(csv)") { try other.archive.verify(other.manifest, of: other.part) }
      #expect(throws: FileError.self) { try other.archive.ids(other.manifest, of: other.part) }
      return try #require(error).description
    }
    let header = "id,linkedid,eventtime\n"
    #expect(try refusal(header + "1,a,x\n3,b,x\n").contains("ids from 1 to 3"))
    #expect(try refusal(header + "0,a,x\n2,b,x\n").contains("ids from 0 to 2"))
    #expect(try refusal(header + "1,a,x\n1,b,x\n").contains("ids from 1 to 1"))
    #expect(try refusal(header + "1,a,x\n,b,x\n").contains("without an id"))
    #expect(try refusal(header + "1,a,x\n99999999999999999999,b,x\n").contains("without an id"))
    #expect(try refusal(header + "1,a,x\n2x,b,x\n").contains("without an id"))
  }

  @Test("a file that expands without end is read no further than its manifest says")
  func bomb() throws {
    let rows = String(repeating: "1,a,x\n", count: 2_000_000)
    let sample = try SamplePart(csv: "id,linkedid,eventtime\n" + rows, rows: 2)
    var manifest = sample.manifest
    manifest.files[0].contentBytes = 1000
    var read = 0
    let place = try #require(try sample.archive.folder(of: sample.part))
    let error = #expect(throws: FileError.self) {
      try ArchiveReader.read(manifest.files[0], in: place, sink: { read += $0.count })
    }
    #expect(error?.kind == .damaged && error?.description.contains("more rows than the 1000 bytes") == true)
    #expect(read <= 1000)
  }

  @Test("a folder that is not there, or holds no part, is no archive")
  func nothing() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: FileError.self) { try ArchiveFolder.existing(folder.path + "/absent") }
    #expect(error?.kind == .damaged && error?.description.contains("no part of an archive in \(folder.path)/absent") == true)
    #expect(try ArchiveFolder.existing(folder.path).contents().parts.isEmpty)
  }

  @Test("a part whose manifest has only its temporary name is another thing than one that was never whole")
  func unpublished() throws {
    let sample = try SamplePart(publishes: false)
    #expect(try sample.archive.anyManifest(of: sample.part) == nil && sample.archive.contents().unpublished.isEmpty)
    let place = try #require(try sample.archive.folder(of: sample.part))
    let json = try sample.manifest.json()
    for cut in [0, 1, json.utf8.count / 2, json.utf8.count - 1] {
      try place.prepare(String(json.prefix(cut)), as: sample.part.manifest)
      #expect(try sample.archive.anyManifest(of: sample.part) == nil, "\(cut)")
    }
    try place.prepare(json, as: sample.part.manifest)
    let found = try #require(try sample.archive.anyManifest(of: sample.part))
    #expect(found.json == Array(json.utf8) && !found.isPublished)
    #expect(try sample.archive.contents().unpublished == [sample.part])
    try place.publishPrepared(sample.part.manifest)
    #expect(try sample.archive.anyManifest(of: sample.part)?.isPublished == true)
    #expect(try sample.archive.contents().unpublished.isEmpty)
  }

  @Test("a file system without locks is another thing than a folder that another process has")
  func locks() throws {
    let folder = try TemporaryFolder()
    for code in [ENOLCK, EOPNOTSUPP, ENOSYS] {
      let answer = try ArchiveFolder(folder.path).root.lock { _, _ in
        errno = code
        return -1
      }
      guard case .unknown = answer else {
        Issue.record("\(code): \(answer)")
        continue
      }
    }
    let (one, two) = (try ArchiveFolder(folder.path), try ArchiveFolder(folder.path))
    guard case .held = try one.root.lock(), case .busy = try two.root.lock() else {
      Issue.record("both have it")
      return
    }
  }
}
