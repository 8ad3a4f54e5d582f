import Foundation
import Testing

@testable import Compression

/// Lines like those of an archive; compressible, but not trivially.
func csv(bytes: Int, using generator: inout some RandomNumberGenerator) -> [UInt8] {
  var text: [UInt8] = []
  text.reserveCapacity(bytes + 100)
  while text.count < bytes {
    let id = UInt32.random(in: 0...9_999_999, using: &generator)
    text += "\(id),CHAN_START,2024-05-06 12:00:\(id % 60).\(id),Alice,10\(id % 90),PJSIP/\(id),1714986000.\(id % 1000)\n".utf8
  }
  return Array(text.prefix(bytes))
}

func randomBytes(_ count: Int, using generator: inout some RandomNumberGenerator) -> [UInt8] {
  (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
}

/// Cuts `bytes` into pieces of random sizes, empty ones among them.
func pieces(
  of bytes: [UInt8], upTo most: Int, using generator: inout some RandomNumberGenerator
) -> [ArraySlice<UInt8>] {
  var rest = bytes[...]
  var result: [ArraySlice<UInt8>] = []
  while !rest.isEmpty {
    let piece = rest.prefix(Int.random(in: 0...most, using: &generator))
    result.append(piece)
    rest = rest.dropFirst(piece.count)
  }
  return result
}

func compress(_ pieces: [ArraySlice<UInt8>], level: Int = 3, workers: Int = 0) throws -> [UInt8] {
  let compressor = try Compressor(level: level, workers: workers)
  var output: [UInt8] = []
  for piece in pieces { try piece.withUnsafeBytes { try compressor.write($0) { output += $0 } } }
  try compressor.finish { output += $0 }
  #expect(compressor.bytesWritten == UInt64(output.count))
  return output
}

func compress(_ bytes: [UInt8], level: Int = 3) throws -> [UInt8] {
  try compress([bytes[...]], level: level)
}

func decompress(_ pieces: [ArraySlice<UInt8>], maximumWindowLog: Int = 27) throws -> [UInt8] {
  let decompressor = try Decompressor(maximumWindowLog: maximumWindowLog)
  var output: [UInt8] = []
  for piece in pieces { try piece.withUnsafeBytes { try decompressor.write($0) { output += $0 } } }
  try decompressor.finish()
  #expect(decompressor.bytesWritten == UInt64(output.count))
  #expect(decompressor.bytesRead == UInt64(pieces.reduce(0) { $0 + $1.count }))
  return output
}

func decompress(_ bytes: [UInt8], maximumWindowLog: Int = 27) throws -> [UInt8] {
  try decompress([bytes[...]], maximumWindowLog: maximumWindowLog)
}

/// Runs the `zstd` command line tool on a file that holds `input` and gives what it writes; files,
/// so that no pipe can fill up.
func zstdTool(_ arguments: [String], input: [UInt8]) throws -> [UInt8] {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("zstandard-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let source = folder.appendingPathComponent("in")
  let target = folder.appendingPathComponent("out")
  try Data(input).write(to: source)
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["zstd", "-q", "-f"] + arguments + ["-o", target.path, source.path]
  try process.run()
  process.waitUntilExit()
  try #require(process.terminationStatus == 0, "zstd \(arguments) ended with \(process.terminationStatus)")
  return [UInt8](try Data(contentsOf: target))
}
