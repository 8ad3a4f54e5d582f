import Archive
import Compression
import Files
import Foundation
import Testing
import Values

/// A folder that goes with the test.
final class TemporaryFolder {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("archive-\(UUID().uuidString)").path
  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A part of CELs with one file, written as a job does it.
struct SamplePart {
  let folder = try? TemporaryFolder()
  let part: PartName
  let archive: ArchiveFolder
  let manifest: Manifest
  var path: String { archive.root.path + "/" + part.folders.joined(separator: "/") }
  var file: String { path + "/" + part.files[0] }

  static let csv = "id,linkedid,eventtime\n1,a,2025-03-01 00:00:00+00\n2,\"b\n\"\"c\"\"\",2025-03-02 00:00:00+00\n"

  init(csv: String = SamplePart.csv, rows: Int = 2, publishes: Bool = true) throws {
    archive = try ArchiveFolder(#require(folder).path + "/archives", creates: true)
    part = PartName(kind: .cel, month: try #require(Month("2025-03")), number: 1)
    let place = try #require(try archive.folder(of: part, creates: true))
    let writer = try ArchiveWriter(part.files[0], in: place, level: 3, workers: 1)
    for piece in Array(csv.utf8).chunked(7) { try piece.withUnsafeBytes { try writer.write($0) } }
    let written = try writer.finish()
    manifest = Manifest(
      part: part, retention: ["all"], tenants: [], encoding: "UTF8", database: "test", origin: nil, run: 1, program: "test",
      written: "2026-01-01T00:00:00Z",
      files: [
        Manifest.File(
          content: .cel, name: part.files[0], rows: rows, bytes: written.bytes, sha256: written.sha256,
          contentBytes: written.contentBytes, contentSha256: written.contentSha256, leastId: 1, greatestId: 2,
          leastDate: "2025-03-01T00:00:00.000000+00:00", greatestDate: "2025-03-02T00:00:00.000000+00:00",
          columns: [
            .init(name: "id", type: "bigint"), .init(name: "linkedid", type: "text"),
            .init(name: "eventtime", type: "timestamp with time zone"),
          ])
      ])
    if publishes { try place.write(manifest.json(), as: part.manifest) }
  }

  func change(_ manifest: (inout Manifest) -> Void) throws -> String {
    var changed = self.manifest
    manifest(&changed)
    return try changed.json()
  }
}

extension Array {
  func chunked(_ size: Int) -> [[Element]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
  }
}
