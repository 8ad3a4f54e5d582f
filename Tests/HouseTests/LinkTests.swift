import Foundation
import Testing

@Suite("Links between documents")
struct LinkTests {
  @Test("lead to a file that is there, and to a heading in it", arguments: Repository.markdown)
  func lead(path: String) throws {
    for link in try LinkTests.links(in: path) where !link.contains(":") {
      let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
      let folder = URL(fileURLWithPath: "/" + path).deletingLastPathComponent()
      let target = parts[0].isEmpty ? path : String(folder.appendingPathComponent(String(parts[0])).standardized.path.dropFirst())
      guard FileManager.default.fileExists(atPath: "\(Repository.root)/\(target)") else {
        Issue.record("\(path): \(link) leads nowhere")
        continue
      }
      if parts.count == 2 { #expect(try LinkTests.anchors(in: target).contains(String(parts[1])), "\(path): \(link)") }
    }
  }

  @Test("there are some, and none by a name that only one reader of Markdown knows")
  func kinds() throws {
    let all = try Repository.markdown.flatMap { try LinkTests.links(in: $0) }
    #expect(all.count > 50)
    for path in Repository.markdown { #expect(try !Repository.text(path).contains("<doc:"), "\(path)") }
  }

  /// Where links lead, as they are written; code aside.
  private static func links(in path: String) throws -> [String] {
    try prose(path).flatMap { line in
      line.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 0 }
        .flatMap { $0.element.components(separatedBy: "](").dropFirst() }
        .map { String($0.prefix { $0 != ")" && $0 != " " }) }
    }
  }

  /// Headings as GitHub makes them into anchors.
  private static func anchors(in path: String) throws -> Set<String> {
    Set(
      try prose(path).filter { $0.hasPrefix("#") }.map { line in
        let heading = line.drop { $0 == "#" }.drop { $0 == " " }.lowercased()
        return String(heading.compactMap { $0 == " " ? "-" : $0.isLetter || $0.isNumber || "-_".contains($0) ? $0 : nil })
      })
  }

  /// The lines outside blocks of code.
  private static func prose(_ path: String) throws -> [Substring] {
    var isCode = false
    return try Repository.lines(path).filter { line in
      let isFence = line.drop { $0 == " " }.hasPrefix("```")
      if isFence { isCode.toggle() }
      return !isCode && !isFence
    }
  }
}
