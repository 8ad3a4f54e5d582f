import Archive
import Archiving
import Foundation
import PostgreSQL
import Runs
import Store
import Synchronization
import Testing

/// An archive's folder and a journal's beside it; both go with the last reference.
package final class ArchivePlace: Sendable {
  package let root = FileManager.default.temporaryDirectory.appendingPathComponent("archive-jobs-\(UUID().uuidString)").path
  package var folder: String { root + "/archives" }

  package init() throws { try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: root) }

  /// Every manifest.
  package func manifests() throws -> [Manifest] {
    guard FileManager.default.fileExists(atPath: folder) else { return [] }
    let archive = try ArchiveFolder(folder)
    return try archive.contents().parts.map { try archive.manifest(of: $0) }
  }

  /// Rows by content over all parts.
  package func rows() throws -> [FileContent: Int] {
    var rows: [FileContent: Int] = [:]
    for file in try manifests().flatMap(\.files) { rows[file.content, default: 0] += file.rows }
    return rows
  }

  /// Every file of rows, with its path.
  package func files() throws -> [String] {
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return names.filter { $0.hasSuffix(".zst") }.sorted().map { folder + "/" + $0 }
  }

  /// Expects every part to be as it was written and no file to belong to none.
  package func expectClean(_ what: String = "", _ location: SourceLocation = #_sourceLocation) throws {
    guard FileManager.default.fileExists(atPath: folder) else { return }
    let contents = try ArchiveFolder(folder).contents()
    if contents.parts.isEmpty { return #expect(contents.unknown == [], "\(what)", sourceLocation: location) }
    let listing = try ArchiveListing(folder: folder, kinds: ArchiveKind.allCases).run(verifies: true)
    #expect(listing.faults.map(\.fault) == [], "\(what)", sourceLocation: location)
    #expect(listing.unknown == [], "\(what)", sourceLocation: location)
  }
}

extension Runner {
  /// With a journal in that place.
  package func archiving(_ place: ArchivePlace) -> Runner {
    var runner = self
    runner.settings.checkpointDirectory = place.root
    return runner
  }

  package func options(
    _ place: ArchivePlace?, deletes: Bool = true, kinds: [ArchiveKind] = ArchiveKind.allCases,
    _ retention: Retention = .before(.max), rows: Int = 100_000
  ) -> ArchiveJob.Options {
    var options = ArchiveJob.Options(folder: place?.folder, deletes: deletes, kinds: kinds, retention: retention)
    options.rows = rows
    return options
  }

  @discardableResult
  package func archive(_ options: ArchiveJob.Options) throws -> [ArchiveJob.TableSummary] {
    let context = try context()
    defer { context.databases.close() }
    prepare(context)
    return try ArchiveJob(context, options).run().tables
  }

  @discardableResult
  package func purge(
    _ place: ArchivePlace, kinds: [ArchiveKind] = ArchiveKind.allCases, _ retention: Retention = .before(.max),
    rows: Int = 100_000
  ) throws -> [ArchiveJob.TableSummary] {
    try archiving(place).archive(options(place, kinds: kinds, retention, rows: rows))
  }

  package func dryPurge(_ options: ArchiveJob.Options) throws -> [ArchiveJob.TableSummary] {
    let context = try RunContext(settings, changes: false, interruption: Interruption(), log: log)
    defer { context.databases.close() }
    return try ArchiveJob(context, options).dryRun().tables
  }

  @discardableResult
  package func restore(
    _ place: ArchivePlace, kinds: [ArchiveKind] = ArchiveKind.allCases, keepFor: Double = 0,
    _ change: (inout RestoreJob.Options) -> Void = { _ in }
  ) throws -> [RestoreJob.TableSummary] {
    let context = try archiving(place).context()
    defer { context.databases.close() }
    var options = RestoreJob.Options(folder: place.folder, kinds: kinds)
    options.keepFor = keepFor
    change(&options)
    return try RestoreJob(context, options).run()
  }
}

extension TestDatabase {
  /// Every row of call logs, of what belongs to them, and of CELs.
  package func rowsOfAll() throws -> Dump {
    var dump = try contentsWithIDs()
    dump.rows.formUnion(try rows("'cel ' || to_jsonb(c)::text FROM cel c"))
    return dump
  }

  package func count(_ table: String) throws -> Int { Int(try value("count(*) FROM \(table)")) ?? -1 }
}
