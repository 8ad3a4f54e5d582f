import Foundation

/// The repository that these tests were built from.
enum Repository {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  /// The paths of the files below a folder, or of that file, in order.
  /// - Parameters:
  ///   - ends: how their names end
  static func files(_ place: String, _ ends: [String]) -> [String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: "\(root)/\(place)", isDirectory: &isFolder) else { return [] }
    guard isFolder.boolValue else { return [place] }
    let names = FileManager.default.enumerator(atPath: "\(root)/\(place)")?.compactMap { $0 as? String } ?? []
    return names.filter { name in ends.contains { name.hasSuffix($0) } }.sorted().map { "\(place)/\($0)" }
  }

  static func text(_ path: String) throws -> String { try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8) }

  static func lines(_ path: String) throws -> [Substring] {
    try text(path).split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// The README and what the rooms have to read.
  static let markdown = ["README.md"] + files("Sources", [".md"])
}
