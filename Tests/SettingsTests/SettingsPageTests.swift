import Foundation
import Settings
import Testing

@Suite("The manual's table of settings")
struct SettingsPageTests {
  private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Sources/wazo-call-logs/Manual.docc/Settings.md").standardizedFileURL
  private static let begin = "<!-- settings: written by SettingsPageTests; RENEW_SNAPSHOTS=1 renews it -->\n"
  private static let end = "<!-- end of settings -->"

  @Test("has each setting as the program has it")
  func table() throws {
    let page = try String(contentsOf: SettingsPageTests.file, encoding: .utf8)
    let begin = try #require(page.range(of: SettingsPageTests.begin))
    let end = try #require(page.range(of: SettingsPageTests.end))
    let rows = Settings.catalogue.map { entry in
      "| `\(entry.key)` | `\(entry.environmentName)` | \(entry.defaultText) | \(entry.explanation) |\n"
    }
    let table = "| Setting | Environment | Default | Meaning |\n|---|---|---|---|\n" + rows.joined()
    if ProcessInfo.processInfo.environment["RENEW_SNAPSHOTS"] != nil {
      let renewed = page[..<begin.upperBound] + table + page[end.lowerBound...]
      try renewed.write(to: SettingsPageTests.file, atomically: true, encoding: .utf8)
    } else {
      #expect(page[begin.upperBound..<end.lowerBound] == table)
    }
  }
}
