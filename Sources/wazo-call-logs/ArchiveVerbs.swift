import ArgumentParser
import CallLogs
import Foundation
import Jobs

struct ArchiveVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "archive",
    abstract: "Write old call logs and CELs into an archive, and verify it. Deletes nothing.",
    discussion: """
      Writes what `purge` would delete, in files that anything reads: PostgreSQL's CSV, compressed with zstd, a set of them for each table and month, with a manifest. What an earlier \
      archive has and what has not changed since is not written again, and a later purge does not, either.

      Examples:
        wazo-call-logs archive -d 365 --dry-run
        wazo-call-logs archive --before 2025-01-01 --table call-logs --archive-dir /mnt/archives
      """)

  @OptionGroup var due: DueOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await ArchiveVerb.run(due, common, deletes: false, archives: true)
  }

  /// What both verbs do.
  static func run(_ due: DueOptions, _ common: CommonOptions, deletes: Bool, archives: Bool) async throws {
    try await Session.run(common, more: due.texts) { session in
      let options = try due.options(session.settings, deletes: deletes, archives: archives)
      let context = try session.context(interprets: false, changes: !due.dryRun)
      let job = ArchiveJob(context, options) { table in
        Console.progress(
          "\(table.kind.rawValue): \(Human.count(table.parts, "part")), \(Human.count(table.deleted)) rows deleted")
      }
      let summary = due.dryRun ? try job.dryRun() : try job.run()
      Console.clearProgress()
      switch due.format {
      case .json: try Console.result(ArchiveReport.json(summary, isDryRun: due.dryRun))
      // Cron mails what is printed.
      case .text:
        if due.dryRun || Console.isOutputTerminal {
          try Console.result(ArchiveReport.text(summary, options, isDryRun: due.dryRun))
        }
      }
    }
  }
}

struct Purge: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Archive old call logs and CELs, then delete them.",
    discussion: """
      Nothing is deleted before its archive was written, synced, read back and verified. It goes part by part, each part one transaction, and can be killed and started again at any moment. \
      Call logs are kept as long as their tenant chose, else as wazo-purge-db's settings or the stored default say; CELs as wazo-purge-db's. \
      CELs go by whole calls, and only those that are done: what is kept for that is counted. Audio files are not touched.

      Examples:
        wazo-call-logs purge --dry-run                      what the settings come to
        wazo-call-logs purge -d 90 --table cel              keep CELs for 90 days
        wazo-call-logs purge -d 365 --sleep 5 --run-time 60 for an hour, gently
        wazo-call-logs purge -d 365 --no-archive            delete only
      """)

  @OptionGroup var due: DueOptions
  @Flag(help: "Delete without an archive.")
  var noArchive = false
  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await ArchiveVerb.run(due, common, deletes: true, archives: !noArchive)
  }
}

/// What archive and purge tell.
enum ArchiveReport {
  static func text(_ summary: ArchiveJob.Summary, _ options: ArchiveJob.Options, isDryRun: Bool) -> String {
    var lines: [String] = []
    let would = isDryRun ? "would be " : ""
    for table in summary.tables {
      let main = table.kind == .cel ? "CEL" : "call log"
      let count = table.rows[table.kind.contents[0]] ?? 0
      var line = "\(table.kind.rawValue): "
      if options.folder != nil {
        line += "\(Human.count(count, main)) \(would)archived in \(Human.count(table.parts, "part"))"
        if table.found > 0 { line += " (\(Human.count(table.found)) of them are there already)" }
        if table.bytes > 0 { line += ", \(Human.count(table.bytes)) bytes for \(Human.count(table.contentBytes))" }
        if options.deletes { line += "; " }
      }
      if options.deletes { line += "\(Human.count(table.deleted, main)) \(would)deleted" }
      lines.append(line + ".")
      if let oldest = table.oldest, let newest = table.newest {
        lines.append("  From \(EventTime.text(oldest)) to \(EventTime.text(newest)).")
      }
      for (noun, rows) in table.kind.contents.dropFirst().map({ ($0.rawValue, table.rows[$0] ?? 0) }) where rows > 0 {
        lines.append("  \(noun): \(Human.count(rows))")
      }
      let kept = table.kept
      for (reason, rows) in [
        ("of calls that have newer CELs, too", kept.young), ("of calls that are not done", kept.uncovered),
        ("restored not long ago", kept.restored), ("of calls that changed meanwhile", kept.changed),
      ] where rows > 0 {
        lines.append("  Left alone: \(Human.count(rows, main)) \(reason).")
      }
    }
    if summary.isCutShort { lines.append("The time was up; the next run goes on.") }
    if isDryRun { lines.append("Nothing was changed.") }
    return lines.joined(separator: "\n")
  }

  static func json(_ summary: ArchiveJob.Summary, isDryRun: Bool) -> String {
    var json = JSONWriter()
    json.open("{")
    json.flag("dry_run", isDryRun)
    json.flag("cut_short", summary.isCutShort)
    json.key("tables")
    json.open("[")
    for table in summary.tables {
      json.open("{")
      json.string("table", table.kind.rawValue)
      json.number("parts", Int64(table.parts))
      json.key("rows")
      json.open("{")
      for content in table.kind.contents {
        var name = content.rawValue
        name.withUTF8 { json.number(Text(UnsafeRawBufferPointer($0)), Int64(table.rows[content] ?? 0)) }
      }
      json.close("}")
      json.number("found", Int64(table.found))
      json.number("deleted", Int64(table.deleted))
      json.number("bytes", Int64(table.bytes))
      json.number("content_bytes", Int64(table.contentBytes))
      json.time("oldest", table.oldest)
      json.time("newest", table.newest)
      json.key("kept")
      json.open("{")
      json.number("young", table.kept.young)
      json.number("uncovered", table.kept.uncovered)
      json.number("restored", table.kept.restored)
      json.number("changed", table.kept.changed)
      json.close("}")
      json.key("milliseconds")
      json.open("{")
      json.number("writing", Int64(table.writing * 1000))
      json.number("verifying", Int64(table.verifying * 1000))
      json.number("deleting", Int64(table.deleting * 1000))
      json.close("}")
      json.close("}")
    }
    json.close("]")
    json.close("}")
    return String(decoding: json.out, as: UTF8.self)
  }
}
