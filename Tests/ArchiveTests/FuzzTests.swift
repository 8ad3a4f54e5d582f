import Foundation
import TestSupport
import Testing

@testable import Archive
@testable import Files
@testable import Values

/// Whatever stands in an archive's folder, it is what was written, or it is refused: nothing else
/// comes of it.
@Suite("Archives with anything in them")
struct FuzzTests {
  private static let cases = Int(ProcessInfo.processInfo.environment["ARCHIVE_FUZZ_CASES"] ?? "") ?? 1500

  private static let literals = [
    "null", "true", "0", "-1", "1", "2", "3", "1.5", "-0.0", "1e300", "1e-300", "2147483647", "2147483648", "4294967296",
    "9223372036854775806", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551616",
    "\"\"", "\"x\"", "\"1\"", "\"../x\"", "\"\\u0000\"", "\"\\ud800\"", "\"2025-03-01\"", "\"9999-12-31T23:59:60+15:59:59\"",
    "\"294277-01-01T00:00:00Z\"", "\"1099511627775.999999999\"", "\"UTF8\"", "\"-9223372036854775808\"", "[]", "{}", "[[]]",
    "{\"system\": \"1\"}",
  ]

  /// The manifest with one to three things changed: values, keys, lines, bytes.
  private func mutated(_ json: String, _ random: inout Seeded) -> [UInt8] {
    var lines = json.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let index = Int.random(in: lines.indices, using: &random)
      switch Int.random(in: 0..<8, using: &random) {
      case 0: lines[index] = ""
      case 1: lines.insert(lines[index], at: index)
      case 2: lines.swapAt(index, Int.random(in: lines.indices, using: &random))
      default:
        guard let colon = lines[index].range(of: " : "), !"[{".contains(lines[index].last ?? "[") else { continue }
        let comma = lines[index].hasSuffix(",") ? "," : ""
        lines[index] = lines[index][..<colon.upperBound] + (FuzzTests.literals.randomElement(using: &random) ?? "") + comma
      }
    }
    var bytes = Array(lines.joined(separator: "\n").utf8)
    if Int.random(in: 0..<4, using: &random) == 0 { bytes = spoilt(bytes, &random) }
    return bytes
  }

  /// Bytes with some changed, added or missing.
  private func spoilt(_ bytes: [UInt8], _ random: inout Seeded) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      let index = Int.random(in: bytes.indices, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: bytes[index] = UInt8.random(in: 0...255, using: &random)
      case 2: bytes.remove(at: index)
      case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
      default: bytes.removeSubrange(index...)
      }
    }
    return bytes
  }

  @Test("a manifest is read and agrees with its files, or is refused with an error that names it")
  func manifests() throws {
    var random = Seeded()
    print("manifests of any kind: \(random)")
    let sample = try SamplePart()
    let name = PartName(kind: .callLogs, month: try #require(Month("2025-03")), number: 1)
    let (cel, logs) = (try sample.manifest.json(), try ManifestTests.callLogs(name).json())
    var accepted = 0
    for number in 0..<FuzzTests.cases {
      let isCEL = number % 2 == 0
      let part = isCEL ? sample.part : name
      let json = mutated(isCEL ? cel : logs, &random)
      _ = Manifest.Ownership(json: json)
      do {
        let manifest = try Manifest(json: json, of: part)
        accepted += 1
        // What others reckon with.
        let ids = try #require(manifest.ids)
        #expect(ids.upperBound < .max && manifest.rows + 1 > 1)
        #expect(manifest.files.reduce(0) { $0 + $1.bytes + $1.contentBytes } > 0)
        if isCEL { #expect(try sample.archive.ids(manifest, of: part) == [1, 2], "\(String(decoding: json, as: UTF8.self))") }
      } catch let error as FileError {
        #expect(error.description.contains(part.manifest.prefix { $0 != "." }), "\(error)")
      }
    }
    #expect(accepted > 0 && accepted < FuzzTests.cases)
  }

  @Test("a file is what was written, or is refused with an error that names it")
  func files() throws {
    var random = Seeded()
    print("files of any kind: \(random)")
    var csv = "id,linkedid,eventtime\n"
    for id in 1...400 {
      csv += "\(id),\"\(Int.random(in: 0...9, using: &random)),\"\"\n\",\(String(repeating: "y", count: id % 37))\n"
    }
    let written = try SamplePart(csv: csv, rows: 400)
    var manifest = written.manifest
    manifest.files[0].greatestId = 400
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: written.file)))
    let ids = Array(Int64(1)...400)
    #expect(try written.archive.ids(manifest, of: written.part) == ids)
    for _ in 0..<FuzzTests.cases / 3 {
      let spoilt = spoilt(bytes, &random)
      try Data(spoilt).write(to: URL(fileURLWithPath: written.file))
      // As if the manifest had been made for it, so that more than the length and the sum is looked
      // at.
      manifest.files[0].bytes = spoilt.count
      do {
        #expect(try written.archive.ids(manifest, of: written.part) == ids && spoilt == bytes)
      } catch let error as FileError {
        #expect(error.kind == .damaged && error.description.contains(written.part.files[0]), "\(error)")
      }
    }
  }

  @Test("numbers are found in CSV in pieces of any size, as a reader of whole rows finds them")
  func numbers() throws {
    var random = Seeded()
    print("numbers in CSV: \(random)")
    for _ in 0..<200 {
      let column = Int.random(in: 0...2, using: &random)
      var (csv, expected): (String, [Int64]) = ("a,\"b,\n\",c\n", [])
      for _ in 0..<Int.random(in: 0...30, using: &random) {
        let id =
          [
            Int64.min, .max, 0, -1, Int64.random(in: 0...9, using: &random), Int64.random(in: .min ... .max, using: &random),
          ].randomElement(using: &random) ?? 0
        var fields = (0..<3).map { _ in
          ["", "x", "12", "\"1,2\"", "\"\n7\n\"", "\"\"\"\"", "abcdefghijklmnop", "\"abcdefghijk,\"\"\nlmnop\""].randomElement(
            using: &random) ?? ""
        }
        fields[column] = String(id)
        csv += fields.joined(separator: ",") + "\n"
        expected.append(id)
      }
      var numbers = CSVNumbers(column: column)
      var found: [Int64?] = []
      var rest = Array(csv.utf8)[...]
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...40, using: &random))
        piece.withUnsafeBytes { bytes in numbers.add(bytes) { found.append($0) } }
        rest = rest.dropFirst(piece.count)
      }
      #expect(found == expected, "\(csv)")
    }
  }
}
