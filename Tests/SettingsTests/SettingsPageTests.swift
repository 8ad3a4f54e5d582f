import Foundation
import Settings
import Testing

@Suite("The manual's tables of settings")
struct SettingsPageTests {
  private static let manual = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Sources/wazo-call-logs/Manual.docc").standardizedFileURL
  private static let begin = "<!-- settings: written by SettingsPageTests; RENEW_SNAPSHOTS=1 renews it -->\n"
  private static let end = "<!-- end of settings -->"

  @Test("have each setting as the program has it", arguments: ["Settings.md", "Service.md"])
  func table(name: String) throws {
    let file = SettingsPageTests.manual.appendingPathComponent(name)
    let entries = name == "Service.md" ? ServiceSettings.catalogue : Settings.catalogue
    let page = try String(contentsOf: file, encoding: .utf8)
    let begin = try #require(page.range(of: SettingsPageTests.begin))
    let end = try #require(page.range(of: SettingsPageTests.end))
    let rows = entries.map { entry in
      "| `\(entry.key)` | `\(entry.environmentName)` | \(entry.defaultText) | \(entry.explanation) |\n"
    }
    let table = "| Setting | Environment | Default | Meaning |\n|---|---|---|---|\n" + rows.joined()
    if ProcessInfo.processInfo.environment["RENEW_SNAPSHOTS"] != nil {
      let renewed = page[..<begin.upperBound] + table + page[end.lowerBound...]
      try renewed.write(to: file, atomically: true, encoding: .utf8)
    } else {
      #expect(page[begin.upperBound..<end.lowerBound] == table)
    }
  }
}
