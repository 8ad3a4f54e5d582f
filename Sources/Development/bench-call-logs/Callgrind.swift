import Foundation
import PureParts

/// Counts instructions by running the harness under `valgrind --tool=callgrind`, where the
/// processor does not count them.
enum Callgrind {
  /// Instructions by part, for each CEL; nil if valgrind is not installed.
  static func count(calls: Int, chunk: Int) throws -> [PureParts.Part: Double]? {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("callgrind-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    // Valgrind gives up on debugging information of unknown kinds.
    let program = folder.appendingPathComponent("bench-call-logs").path
    guard try run(["strip", "-g", "-o", program, CommandLine.arguments[0]]) != nil else { return nil }
    let answer = try run([
      "valgrind", "--quiet", "--tool=callgrind", "--callgrind-out-file=\(folder.path)/out", program, "pure", "--calls",
      "\(calls)",
      "--chunk", "\(chunk)", "--under-callgrind",
    ])
    guard let cels = answer.flatMap({ Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }) else { return nil }

    // One file for each part of each chunk, numbered in that order. The first chunk only warms up.
    var counts: [PureParts.Part: Double] = [:]
    let dumps = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .compactMap { name in name.split(separator: ".").last.flatMap { Int($0) }.map { (number: $0, name: name) } }
      .sorted { $0.number < $1.number }.dropFirst(PureParts.Part.allCases.count)
    for dump in dumps {
      let text = try String(contentsOf: folder.appendingPathComponent(dump.name), encoding: .utf8)
      guard let part = PureParts.Part.allCases.first(where: { text.contains("Client Request: \($0.rawValue)") }),
        let summary = text.split(separator: "\n").first(where: { $0.hasPrefix("summary: ") || $0.hasPrefix("totals: ") }),
        let count = summary.split(separator: " ").last.flatMap({ Double($0) })
      else { continue }
      counts[part, default: 0] += count / cels
    }
    return counts
  }

  /// The standard output of a command; nil if it fails or is not installed.
  private static func run(_ words: [String]) throws -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return process.terminationStatus == 0 ? text : nil
  }
}
