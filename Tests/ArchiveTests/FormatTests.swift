import Archive
import Compression
import Files
import Foundation
import TestSupport
import Testing
import Values

@Suite("Names and months of archives")
struct NameTests {
  @Test("months begin and end where the calendar has it, from the year 1 to 9999")
  func months() throws {
    #expect(try #require(Month("2000-01")).start == 0)
    #expect(try #require(Month("2024-02")).end - #require(Month("2024-02")).start == 29 * 86_400_000_000)
    #expect(try #require(Month("1900-02")).end - #require(Month("1900-02")).start == 28 * 86_400_000_000)
    var month = try #require(Month("0001-01"))
    var count = 0
    while month.year < 9999 {
      #expect(Month(of: month.start) == month)
      #expect(Month(of: month.end - 1) == month)
      let next = try #require(Month(of: month.end))
      #expect(month < next && Month("\(next)") == next)
      (month, count) = (next, count + 1)
    }
    #expect(count == 9998 * 12)
  }

  @Test(
    "what is no month is none",
    arguments: ["2025-13", "2025-00", "0000-01", "2025-1", "25-01", "2025/01", "２０２５-01", "", "2025-01x"])
  func noMonths(text: String) { #expect(Month(text) == nil) }

  @Test("a part is found again by each of its names, and by no other")
  func parts() throws {
    let month = try #require(Month("2025-03"))
    for kind in ArchiveKind.allCases {
      for number in [1, 42, 9999, 123_456] {
        let part = PartName(kind: kind, month: month, number: number)
        for name in part.files + [part.manifest] {
          #expect(PartName(fileName: name, kind: kind, month: month) == part)
          #expect(PartName(fileName: PartName.temporary(name), kind: kind, month: month) == part)
          for wrong in [name + "x", "x" + name, "../" + name, "." + name, name.uppercased()] {
            #expect(PartName(fileName: wrong, kind: kind, month: month) == nil, "\(wrong)")
          }
        }
      }
    }
    #expect(PartName(kind: .callLogs, month: month, number: 7).files[1] == "call-logs-2025-03-0007.participants.csv.zst")
  }
}

@Suite("Files of archives")
struct FileTests {
  /// What reading says.
  private func fault(_ body: () throws -> Void) throws -> FileError {
    let error = #expect(throws: FileError.self) { try body() }
    return try #require(error)
  }

  @Test("what was written is read back, and the zstd program reads it as well")
  func roundTrip() throws {
    let sample = try SamplePart()
    #expect(try sample.archive.manifest(of: sample.part) == sample.manifest)
    try sample.archive.verify(sample.manifest, of: sample.part)
    var read: [UInt8] = []
    let place = try #require(try sample.archive.folder(of: sample.part))
    try ArchiveReader.read(sample.manifest.files[0], in: place, sink: { read += Array($0) })
    #expect(String(decoding: read, as: UTF8.self) == SamplePart.csv)
    let contents = try sample.archive.contents()
    #expect(contents.parts == [sample.part] && contents.unknown.isEmpty)
  }

  @Test("every flipped bit and every cut is found")
  func damage() throws {
    let sample = try SamplePart()
    let bytes = try Data(contentsOf: URL(fileURLWithPath: sample.file))
    var random = Seeded()
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      try damaged.write(to: URL(fileURLWithPath: sample.file))
      let error = try fault { try sample.archive.verify(sample.manifest, of: sample.part) }
      #expect(error.kind == .damaged && error.description.contains(sample.part.files[0]), "\(error), \(random)")
      try bytes[..<index].write(to: URL(fileURLWithPath: sample.file))
      let cut = try fault { try sample.archive.verify(sample.manifest, of: sample.part) }
      #expect(cut.description.contains("cut off"))
    }
    try FileManager.default.removeItem(atPath: sample.file)
    #expect(try fault { try sample.archive.verify(sample.manifest, of: sample.part) }.description.contains("is missing"))
  }

  @Test("a manifest that disagrees is named with what is wrong")
  func disagreement() throws {
    let sample = try SamplePart()
    func verify(_ change: (inout Manifest) -> Void) throws -> String {
      var manifest = sample.manifest
      change(&manifest)
      return try fault { try sample.archive.verify(manifest, of: sample.part) }.description
    }
    #expect(try verify { $0.files[0].rows = 3 }.contains("holds 2 rows in place of the 3"))
    #expect(try verify { $0.files[0].bytes += 1 }.contains("bytes in place of"))
    #expect(try verify { $0.files[0].sha256 = String(repeating: "0", count: 64) }.contains("SHA-256"))
    #expect(try verify { $0.files[0].contentSha256 = String(repeating: "0", count: 64) }.contains("other rows"))
    #expect(try verify { $0.files[0].columns[1].name = "txt" }.contains("other columns"))
    #expect(try verify { $0.files[0].columns.removeLast() }.contains("other columns"))
  }

  @Test("a newer format, a moved manifest, other names, .. and broken JSON are refused before anything is read")
  func refused() throws {
    let sample = try SamplePart()
    func refusal(_ json: String) throws -> String {
      let error = try fault { _ = try Manifest(json: Array(json.utf8), of: sample.part) }
      #expect(error.kind == .damaged && error.description.contains(sample.part.manifest))
      return error.description
    }
    #expect(try refusal(sample.change { $0.format = 2 }).contains("format 2, which a later version"))
    #expect(try refusal("{\"format\": 7, \"everything\": \"else\"}").contains("format 7"))
    #expect(try refusal(sample.change { $0.format = 0 }).contains("does not exist"))
    #expect(try refusal(sample.change { $0.month = "2025-04" }).contains("moved or renamed"))
    #expect(try refusal(sample.change { $0.part = 2 }).contains("moved or renamed"))
    for name in ["../cel-2025-03-0001.cel.csv.zst", "/etc/passwd", "x", "cel-2025-03-0002.cel.csv.zst", ""] {
      #expect(try refusal(sample.change { $0.files[0].name = name }).contains("other files"))
    }
    #expect(try refusal(sample.change { $0.files = [] }).contains("other files"))
    #expect(try refusal(sample.change { $0.files[0].sha256 = "abc" }).contains("cannot be true"))
    #expect(try refusal(sample.change { $0.files[0].rows = -1 }).contains("cannot be true"))
    #expect(try refusal("").contains("not a JSON object"))
    #expect(try refusal("[1]").contains("not a JSON object"))
    #expect(try refusal("{\"format\": 1}").contains("is missing"))
    #expect(
      try refusal(sample.manifest.json().replacingOccurrences(of: "\"rows\" : 2", with: "\"rows\" : \"2\"")).contains(
        "another type"))
  }

  @Test("symbolic links are followed nowhere below the archive's folder")
  func links() throws {
    let sample = try SamplePart()
    let aside = sample.archive.root.path + "-aside"
    defer { try? FileManager.default.removeItem(atPath: aside) }
    try FileManager.default.moveItem(atPath: sample.file, toPath: aside)
    try FileManager.default.createSymbolicLink(atPath: sample.file, withDestinationPath: aside)
    #expect(try fault { try sample.archive.verify(sample.manifest, of: sample.part) }.description.contains("symbolic link"))
    try FileManager.default.removeItem(atPath: sample.file)
    try FileManager.default.moveItem(atPath: aside, toPath: sample.file)
    try FileManager.default.moveItem(atPath: sample.path, toPath: aside)
    try FileManager.default.createSymbolicLink(atPath: sample.path, withDestinationPath: aside)
    #expect(try fault { _ = try sample.archive.manifest(of: sample.part) }.description.contains("symbolic link"))
    #expect(try fault { _ = try sample.archive.removeUnfinished(sample.part) }.description.contains("symbolic link"))
    #expect(try fault { _ = try sample.archive.folder(of: sample.part, creates: true) }.kind == .damaged)
  }

  @Test("what is there is never replaced, what was given up leaves nothing under its name")
  func names() throws {
    let sample = try SamplePart()
    let place = try #require(try sample.archive.folder(of: sample.part))
    let before = try Data(contentsOf: URL(fileURLWithPath: sample.file))
    let writer = try ArchiveWriter(sample.part.files[0], in: place, level: 1, workers: 0)
    try Array("other".utf8).withUnsafeBytes { try writer.write($0) }
    #expect(try fault { _ = try writer.finish() }.description.contains("exists already"))
    #expect(try Data(contentsOf: URL(fileURLWithPath: sample.file)) == before)
    do {
      let given = try ArchiveWriter("given-up", in: place, level: 1, workers: 0)
      try Array("content".utf8).withUnsafeBytes { try given.write($0) }
      #expect(try place.names().contains(".given-up.tmp"))
    }
    #expect(try !place.names().contains { $0.contains("given-up") })
    #expect(throws: FileError.self) { try place.has("../x") }
  }

  @Test("only files of a part without a manifest are removed; what is not ours is unknown")
  func removal() throws {
    let complete = try SamplePart()
    #expect(try !complete.archive.removeUnfinished(complete.part))
    #expect(FileManager.default.fileExists(atPath: complete.file))
    let unfinished = try SamplePart(publishes: false)
    for name in ["notes.txt", ".cel-2025-03-0002.cel.csv.zst.tmp", "cel-2025-03-0003.cel.csv.zst"] {
      try Data("x".utf8).write(to: URL(fileURLWithPath: unfinished.path + "/" + name))
    }
    #expect(try unfinished.archive.contents().parts.isEmpty)
    #expect(try unfinished.archive.contents().unknown.count == 4)
    #expect(try unfinished.archive.greatestNumber(.cel, unfinished.part.month) == 3)
    #expect(try unfinished.archive.removeUnfinished(unfinished.part))
    #expect(try unfinished.archive.contents().unknown.count == 3)
  }
}
