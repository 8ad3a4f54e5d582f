import Archiving
import Terminal
import Values

/// The part of `purge`'s output about recordings and their audio files.
enum AudioReport {
  static func text(_ summary: ArchiveJob.Summary, isDryRun: Bool) -> [String] {
    var lines: [String] = []
    let would = isDryRun ? "would be " : ""
    if let recordings = summary.recordings {
      lines.append("recordings: \(Human.count(recordings.recordings, "recording")) \(would)forgotten, call logs stay.")
      if let oldest = recordings.oldest, let newest = recordings.newest {
        lines.append("  From \(TimestampText.text(oldest)) to \(TimestampText.text(newest)).")
      }
      if recordings.keptRestored > 0 {
        lines.append("  Left alone: \(Human.count(recordings.keptRestored, "recording")) restored not long ago.")
      }
    }
    guard let audio = summary.audio else { return lines }
    let bytes = audio.removed > 0 ? ", \(Human.count(audio.bytes)) bytes" : ""
    lines.append("audio files: \(Human.count(audio.removed)) \(would)removed\(bytes).")
    for (count, what) in [
      (audio.missing, "already gone"), (audio.named, "left alone, another recording has the same file"),
      (audio.refused, "refused, not a regular file in the recordings folder"), (audio.failed, "cannot be removed"),
    ] where count > 0 {
      lines.append("  \(Human.count(count)) \(what)")
    }
    if audio.waiting > audio.failed {
      lines.append(
        "  \(Human.count(audio.waiting)) \(isDryRun ? "would " : "")wait\(audio.waiting == 1 && !isDryRun ? "s" : "") to be removed"
      )
    }
    if isDryRun, let obstacle = audio.obstacle, audio.waiting > 0 { lines.append("  \(obstacle)") }
    return lines
  }

  static func append(_ summary: ArchiveJob.Summary, to json: inout JSONWriter) {
    if let recordings = summary.recordings {
      json.key("recordings")
      json.open("{")
      json.number("forgotten", Int64(recordings.recordings))
      json.number("call_logs", Int64(recordings.callLogs))
      json.number("kept_restored", recordings.keptRestored)
      json.time("oldest", recordings.oldest)
      json.time("newest", recordings.newest)
      json.close("}")
    } else {
      json.string("recordings", nil)
    }
    guard let audio = summary.audio else { return json.string("audio_files", nil) }
    json.key("audio_files")
    json.open("{")
    json.number("removed", Int64(audio.removed))
    json.number("bytes", Int64(audio.bytes))
    json.number("missing", Int64(audio.missing))
    json.number("kept", Int64(audio.named))
    json.number("refused", Int64(audio.refused))
    json.number("failed", Int64(audio.failed))
    json.number("waiting", Int64(audio.waiting))
    json.string("obstacle", audio.obstacle)
    json.close("}")
  }
}
