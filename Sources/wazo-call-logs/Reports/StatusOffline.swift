import Archiving
import Foundation
import Terminal
import Values

/// `status --offline`: shows the journals in the checkpoint folder.
enum StatusOffline {
  static func run(_ common: CommonOptions, _ format: OutputFormat) async throws {
    try await Session.run(common, needsDatabase: false) { session in
      guard let folder = session.settings.checkpointDirectory else {
        throw JobError(.configuration, "there is no checkpoint folder; set checkpoint_dir")
      }
      let entries = ArchiveJournal.all(in: folder)
      switch format {
      case .json:
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try Console.result(String(decoding: try encoder.encode(["journals": entries]), as: UTF8.self))
      case .text:
        try Console.result(entries.isEmpty ? "No journal in \(folder)." : entries.map(text).joined(separator: "\n"))
      }
    }
  }

  private static func text(_ entry: ArchiveJournal.Entry) -> String {
    let rows = entry.rows.sorted { $0.key < $1.key }.map { "\(Human.count($0.value)) rows of \($0.key)" }
    let state = entry.isDone ? "done \(entry.changed)" : "at work or cut off, last written \(entry.changed)"
    return """
      \(entry.verb) \(entry.parameters) (run \(entry.run), database \(entry.database), process \(entry.process), begun \(entry.started))
        \(state)\(entry.month.map { ", last month \($0)" } ?? ""): \(rows.isEmpty ? "nothing yet" : rows.joined(separator: ", "))
      """
  }
}
