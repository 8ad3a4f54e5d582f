import Archive
import CallLogs
import Files
import Runs
import Store
import Values

/// Works off the list of audio files that are to be removed: after each commit that puts some on it, and at the start of a purge, for those that an earlier one left.
final class AudioRemoval {
  private let context: RunContext
  private let path: String
  private let record: RunRecord
  private let folder: Result<RecordingsFolder, FileError>
  /// What became of the files so far.
  private(set) var summary = AudioSummary()
  /// Each file is tried once in a run.
  private var last: Int64 = 0
  /// Files of a batch of which it is not known yet whether the list knows of it.
  private var outcomes: [Int64: RecordingsFolder.Outcome] = [:]
  /// Those among them that other recordings have.
  private var named: Set<Int64> = []
  private var told = 0

  private static let batch = 500
  /// Files that are told of by name; all are in the table with the reason.
  private static let mostTold = 20

  init(_ context: RunContext, _ path: String, _ record: RunRecord) {
    (self.context, self.path, self.record) = (context, path, record)
    folder = RecordingsFolder.find(path)
  }

  /// Removes what is on the list.
  /// - Throws: what the server says; ``JobError`` where a signal came. What the file system refuses is told and counted, and stays on the list.
  func workOff() throws {
    guard case .success(let folder) = folder else { return }
    while true {
      let entries = try context.retry { try batch(folder) }
      for outcome in outcomes.values { summary.add(outcome) }
      summary.named += named.count
      (outcomes, named) = ([:], [])
      guard let greatest = entries.last?.id else { return }
      last = greatest
    }
  }

  /// Removes some, and takes them from the list when that is durable.
  private func batch(_ folder: RecordingsFolder) throws -> [AudioList.Entry] {
    let logs = context.databases.logs
    return try logs.transaction(purpose: "Removing audio files") {
      let entries = try AudioList.next(after: last, folder: path, limit: AudioRemoval.batch, locks: true, on: logs)
      guard !entries.isEmpty else { return [] }
      // No chunk may be about to commit a recording with one of these files.
      try context.checkpoint.closeGate(on: logs)
      let named = try AudioList.named(entries.map(\.id), on: logs)
      self.named.formUnion(named)
      try context.reached(.beforeUnlink)
      var counts = AudioSummary()
      var (gone, refused, failed): ([Int64], [(id: Int64, reason: String)], [(id: Int64, reason: String)]) = ([], [], [])
      for entry in entries {
        if context.interruption.isRequested { throw context.retry.interrupted }
        if named.contains(entry.id) {
          counts.named += 1
          gone.append(entry.id)
          continue
        }
        // An attempt that was cut off has removed some already.
        let outcome = try outcomes[entry.id] ?? folder.remove(entry.path)
        let isNew = outcomes.updateValue(outcome, forKey: entry.id) == nil
        counts.add(outcome)
        switch outcome {
        case .removed: if isNew { try context.reached(.afterUnlink) }
        case .missing: break
        case .refused(let reason), .failed(let reason): if isNew { tell(entry, reason, outcome) }
        }
        switch outcome {
        case .removed, .missing: gone.append(entry.id)
        case .refused(let reason): refused.append((entry.id, reason))
        case .failed(let reason): failed.append((entry.id, reason))
        }
      }
      try folder.sync()
      try AudioList.remove(gone, on: logs)
      try AudioList.note(refused, refusedBy: path, on: logs)
      try AudioList.note(failed, refusedBy: nil, on: logs)
      try record.count(AudioRemoval.json(counts), on: logs)
      try context.reached(.beforeCommit)
      return entries
    }
  }

  private func tell(_ entry: AudioList.Entry, _ reason: String, _ outcome: RecordingsFolder.Outcome) {
    told += 1
    guard told <= AudioRemoval.mostTold else { return }
    let name = AudioRemoval.printable(entry.path)
    if case .refused = outcome {
      context.log.warning("\(name) is not removed: \(reason). It is not tried again unless recordings_dir is set otherwise")
    } else {
      context.log.warning("cannot remove \(name): \(reason). The next purge tries again")
    }
  }

  /// Removes what a commit whose answer was lost has put on the list, and tells what is left.
  func end() throws {
    try workOff()
    if told > AudioRemoval.mostTold {
      context.log.warning(
        "\(told - AudioRemoval.mostTold) more audio files were not removed; the table call_logd_audio has each with the reason")
    }
    summary.waiting = Int(try context.retry { try AudioList.waiting(on: context.databases.logs) }.files)
    guard case .failure(let obstacle) = folder else { return }
    summary.obstacle = obstacle.description
    guard summary.waiting > 0 else { return }
    context.log.warning("\(AudioRemoval.remedy(summary.waiting, obstacle))")
  }

  /// What to do about files that cannot be reached.
  static func remedy(_ count: Int, _ obstacle: FileError) -> String {
    "\(count) audio file\(count == 1 ? " waits" : "s wait") to be removed: \(obstacle). Run purge on the machine that has them, or set recordings_dir; they stay on the list"
  }

  private static func json(_ counts: AudioSummary) -> String {
    let all = [
      ("removed", counts.removed), ("missing", counts.missing), ("kept", counts.named), ("refused", counts.refused),
      ("failed", counts.failed),
    ]
    return "{" + all.filter { $0.1 > 0 }.map { "\"audio_\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}"
  }

  /// A path for a line of a log: it comes from the dialplan and may hold anything.
  static func printable(_ path: [UInt8]) -> String {
    var text = ""
    for scalar in String(decoding: path.prefix(300), as: UTF8.self).unicodeScalars {
      if scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format {
        text += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return path.count > 300 ? text + "…" : text
  }
}

/// What ``AudioRemoval`` would do. Changes nothing.
struct AudioPreview {
  private let context: RunContext
  private let folder: Result<RecordingsFolder, FileError>
  /// What would become of the files.
  private(set) var summary = AudioSummary()
  /// Call logs whose recordings would be forgotten.
  private(set) var forgotten = IDSet()

  init(_ context: RunContext, _ path: String) throws {
    self.context = context
    folder = RecordingsFolder.find(path)
    if case .failure(let obstacle) = folder { summary.obstacle = obstacle.description }
    var last: Int64 = 0
    // Files may be on the list more than once where they could not be removed for long.
    var seen: Set<[UInt8]> = []
    while true {
      let entries = try AudioList.next(after: last, folder: path, limit: 1000, locks: false, on: context.databases.logs)
      guard let greatest = entries.last?.id else { return }
      let named = try AudioList.named(entries.map(\.id), on: context.databases.logs)
      for entry in entries { try look(entry.path, isNamed: named.contains(entry.id), isNew: seen.insert(entry.path).inserted) }
      last = greatest
    }
  }

  /// Looks at the files of these call logs' recordings.
  mutating func forget(_ ids: [Int64]) throws {
    forgotten = IDSet(forgotten.ranges + ids.ranges)
    for file in try AudioList.files(ofCallLogs: ids, forgotten: forgotten.ranges, on: context.databases.logs) {
      try look(file.path, isNamed: file.isNamed, isNew: true)
    }
  }

  private mutating func look(_ path: [UInt8], isNamed: Bool, isNew: Bool) throws {
    guard case .success(let folder) = folder else {
      summary.waiting += 1
      return
    }
    if isNamed {
      summary.named += 1
      return
    }
    let outcome = isNew ? try folder.remove(path, onlyLooks: true) : .missing
    summary.add(outcome)
    if case .failed = outcome { summary.waiting += 1 }
  }
}
