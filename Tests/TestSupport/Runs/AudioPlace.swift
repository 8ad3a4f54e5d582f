import Archive
import Archiving
import Foundation
import PostgreSQL
import Runs

/// An archive's place with a recordings folder in it.
package struct AudioPlace {
  package let place: ArchivePlace
  package var folder: String { place.root + "/recordings" }

  /// With a file that belongs to nobody.
  package init() throws {
    place = try ArchivePlace()
    try put("nobody's.wav")
  }

  /// Makes a file, and gives its path.
  @discardableResult
  package func put(_ name: String, _ bytes: Int = 10) throws -> String {
    let file = URL(fileURLWithPath: folder + "/" + name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(repeating: 7, count: bytes).write(to: file)
    return file.path
  }

  /// The names of all files.
  package func files() -> Set<String> {
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return Set(names.filter { $0.hasSuffix(".wav") })
  }

  package func options(
    _ runner: Runner, kinds: [ArchiveKind] = [.callLogs], recordings: Bool = false, _ retention: Retention = .before(.max)
  )
    -> ArchiveJob.Options
  {
    var options = runner.options(place, kinds: kinds, retention, rows: 2)
    (options.recordingsFolder, options.forgetsRecordings) = (folder, recordings)
    return options
  }
}

extension Runner {
  @discardableResult
  package func purge(_ audio: AudioPlace, _ change: (inout ArchiveJob.Options) -> Void = { _ in }) throws -> ArchiveJob.Summary {
    let context = try archiving(audio.place).context()
    defer { context.databases.close() }
    var options = audio.options(self)
    change(&options)
    return try ArchiveJob(context, options).run()
  }

  package func dryPurge(_ audio: AudioPlace, _ change: (inout ArchiveJob.Options) -> Void = { _ in }) throws -> ArchiveJob.Summary
  {
    let context = try RunContext(settings, changes: false, interruption: Interruption(), log: log)
    defer { context.databases.close() }
    var options = audio.options(self)
    change(&options)
    return try ArchiveJob(context, options).dryRun()
  }
}
