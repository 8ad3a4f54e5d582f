import Foundation
import TestSupport
import Testing

@testable import Compression

@Suite("gzip")
struct GzipTests {
  /// What the gzip tool makes of it; files, so that no pipe can fill up.
  private func gunzip(_ bytes: [UInt8]) throws -> (status: Int32, output: [UInt8]) {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gzip-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (source, target) = (folder.appendingPathComponent("in.gz"), folder.appendingPathComponent("out"))
    try Data(bytes).write(to: source)
    try Data().write(to: target)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", source.path]
    process.standardOutput = try FileHandle(forWritingTo: target)
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return (process.terminationStatus, [UInt8](try Data(contentsOf: target)))
  }

  private func compress(_ bytes: [UInt8], pieces: Int) throws -> [UInt8] {
    let compressor = try GzipCompressor()
    var out: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: pieces) {
      try bytes[start..<min(start + pieces, bytes.count)].withUnsafeBytes { try compressor.write($0) { out += $0 } }
    }
    try compressor.finish { out += $0 }
    #expect(compressor.bytesRead == UInt64(bytes.count) && compressor.bytesWritten == UInt64(out.count))
    return out
  }

  @Test(
    "the gzip tool reads what was compressed, whatever the size and the pieces",
    arguments: [(0, 1), (1, 1), (5_000, 7), (3_000_000, 100_000), (1_000_000, 1_000_000)])
  func roundTrip(size: Int, pieces: Int) throws {
    var random = Seeded()
    // Half of it random, so that output comes in many buffers.
    let content = (0..<size).map {
      $0 % 2 == 0 ? UInt8.random(in: 0...255, using: &random) : UInt8(truncatingIfNeeded: $0 / 1000)
    }
    let read = try gunzip(try compress(content, pieces: pieces))
    #expect(read.status == 0 && read.output == content, "\(random)")
  }

  @Test("what compresses to almost nothing comes back whole")
  func highRatio() throws {
    let content = [UInt8](repeating: 65, count: 3_000_000)
    let compressed = try compress(content, pieces: 50_000)
    #expect(compressed.count < 10_000)
    #expect(try gunzip(compressed).output == content)
  }

  @Test("a member that was not finished is cut off for its reader")
  func unfinished() throws {
    let compressor = try GzipCompressor()
    var out: [UInt8] = []
    var random = Seeded()
    let content = (0..<500_000).map { _ in UInt8.random(in: 0...255, using: &random) }
    try content.withUnsafeBytes { try compressor.write($0) { out += $0 } }
    #expect(try gunzip(out).status != 0, "\(random)")
  }

  @Test("a stream is closed when it was finished, and when its sink threw")
  func closed() throws {
    struct Full: Error {}
    let finished = try GzipCompressor()
    try finished.finish { _ in }
    #expect(throws: GzipError.closed) { try [1, 2].withUnsafeBytes { try finished.write($0) { _ in } } }
    let broken = try GzipCompressor()
    #expect(throws: Full.self) { try broken.finish { _ in throw Full() } }
    #expect(throws: GzipError.closed) { try broken.finish { _ in } }
    #expect(throws: GzipError.self) { try GzipCompressor(level: 99) }
  }
}
