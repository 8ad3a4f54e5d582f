import Archiving
import CallLogs
import Terminal
import Values

/// The output of `archive` and `purge`.
enum ArchiveReport {
  /// The line of progress: share, rows and parts done, time left.
  static func progress(_ table: ArchiveJob.TableSummary, deletes: Bool) -> String {
    let rows = table.rows[table.kind.contents[0]] ?? table.deleted
    let left = table.share > 0.01 ? table.seconds / table.share * (1 - table.share) : 0
    return
      "\(Int(table.share * 100)) %  \(table.kind.rawValue): \(Human.count(rows)) rows \(deletes ? "purged" : "archived"), \(Human.count(table.parts, "part"))"
      + (left > 1 ? ", \(Human.duration(left)) left" : "")
  }

  static func text(_ summary: ArchiveJob.Summary, _ options: ArchiveJob.Options, isDryRun: Bool) -> String {
    var lines: [String] = []
    let would = isDryRun ? "would be " : ""
    for table in summary.tables {
      let main = table.kind == .cel ? "CEL" : "call log"
      let count = table.rows[table.kind.contents[0]] ?? 0
      var line = "\(table.kind.rawValue): "
      if options.folder != nil {
        line += "\(Human.count(count, main)) \(would)archived in \(Human.count(table.parts, "part"))"
        if table.found > 0 { line += " (\(Human.count(table.found)) of them are in the archive already)" }
        if table.bytes > 0 { line += ", \(Human.count(table.bytes)) bytes for \(Human.count(table.contentBytes))" }
        if options.deletes { line += "; " }
      }
      if options.deletes { line += "\(Human.count(table.deleted, main)) \(would)deleted" }
      lines.append(line + ".")
      if let oldest = table.oldest, let newest = table.newest {
        lines.append("  From \(TimestampText.text(oldest)) to \(TimestampText.text(newest)).")
      }
      for (noun, rows) in table.kind.contents.dropFirst().map({ ($0.rawValue, table.rows[$0] ?? 0) }) where rows > 0 {
        lines.append("  \(noun): \(Human.count(rows))")
      }
      let kept = table.kept
      for (reason, rows) in [
        ("of calls that also have newer CELs", kept.young), ("of calls that are not done", kept.uncovered),
        ("restored not long ago", kept.restored), ("of calls that changed meanwhile", kept.changed),
      ] where rows > 0 {
        lines.append("  Left alone: \(Human.count(rows, main)) \(reason).")
      }
    }
    lines += AudioReport.text(summary, isDryRun: isDryRun)
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
    AudioReport.append(summary, to: &json)
    json.close("}")
    return String(decoding: json.out, as: UTF8.self)
  }
}
