import Foundation
import Testing

@Suite("What is written")
struct TextTests {
  @Test("the README is read in one go: 140 lines at most")
  func readme() throws {
    #expect(try Repository.lines("README.md").count <= 141, "the last line ends, too")
  }

  @Test("the sources speak of rules by what they say, not of a document that others do not have")
  func documents() throws {
    for path in Repository.files("Sources", [".swift", ".c", ".h", ".md"]) {
      for (number, line) in try Repository.lines(path).enumerated() where line.lowercased().contains("specification") {
        Issue.record("\(path):\(number + 1): \(line)")
      }
    }
  }

  @Test("no comment is wider than 100 columns")
  func width() throws {
    let code = ["Package.swift", "Sources", "Tests"].flatMap { Repository.files($0, [".swift", ".c", ".h"]) }
    #expect(code.count > 300)
    for path in code {
      for (number, line) in try Repository.lines(path).enumerated() where line.count > 100 {
        guard line.drop(while: { $0 == " " }).hasPrefix("//") else { continue }
        Issue.record("\(path):\(number + 1): \(line.count) columns")
      }
    }
  }
}

@Suite("Tests that do not run everywhere")
struct ConditionTests {
  @Test("say what they need, in words that .ci/run knows them by")
  func needs() throws {
    var conditions = 0
    for path in Repository.files("Tests", [".swift"]) where !path.hasPrefix("Tests/HouseTests/") {
      for condition in try Repository.text(path).components(separatedBy: ".enabled(").dropFirst() {
        conditions += 1
        #expect(condition.prefix(200).contains("\"needs "), "\(path): \(condition.prefix(60))")
      }
      // A condition in that form would skip tests without a reason that .ci/run counts.
      #expect(try !Repository.text(path).contains(".disabled(if:"), "\(path)")
    }
    #expect(conditions > 3)
  }
}
