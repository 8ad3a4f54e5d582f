import Archive
import Runs
import Store
import Values

/// Tells which database the parts in a folder of archives belong to.
struct PartOwners {
  /// The database that has the rows of each table.
  private let homes: [ArchiveKind: ArchiveRecord.Home]
  private let names: [ArchiveKind: String]
  /// The databases that this one was before: the same data under another name or server.
  private let former: Set<ArchiveRecord.Home>
  private let recorded: Set<String>
  private let cels: (name: String, oid: Int64)

  init(_ context: RunContext) throws {
    let (logs, identity) = (context.databases.logs, context.table.identity)
    cels = (context.table.name, identity.table)
    homes = [
      .callLogs: try ArchiveRecord.Home.read(logs),
      .cel: ArchiveRecord.Home(system: identity.system, database: identity.database),
    ]
    names = [.callLogs: logs.server.database, .cel: context.databases.cels.server.database]
    former = Set(try ArchiveOwner.former(on: logs))
    recorded = try ArchiveOwner.recorded(on: logs)
  }

  /// Whether this database has parts of its own on record.
  var hasOwn: Bool { !recorded.isEmpty }

  /// The manifest's note of the table from which its rows come.
  func origin(_ kind: ArchiveKind) -> Manifest.Origin? {
    guard let home = homes[kind] else { return nil }
    return Manifest.Origin(
      system: home.system, databaseOid: home.database,
      table: kind == .cel ? cels.name : CallLogTables.Part.callLogs.rawValue, tableOid: kind == .cel ? cels.oid : nil)
  }

  /// Whether a record was made in this database, or in one that this one was before.
  func isOwn(_ home: ArchiveRecord.Home) -> Bool { home == homes[.callLogs] || former.contains(home) }

  /// Whether the rows came from this very database.
  func isPresent(_ ownership: Manifest.Ownership, _ kind: ArchiveKind) -> Bool {
    ownership.origin.flatMap(ArchiveRecord.Home.init) == homes[kind]
  }

  /// Whether the rows came from this database, or from one that this one was before.
  func isOwn(_ part: PartName, _ ownership: Manifest.Ownership) -> Bool {
    if let origin = ownership.origin {
      guard let home = ArchiveRecord.Home(origin) else { return false }
      if home == homes[part.kind] || former.contains(home) { return true }
      // A server has one database of a name at a time. So the former one was dropped, and this one
      // took its place.
      return home.system == homes[part.kind]?.system && ownership.database == names[part.kind]
    }
    // Manifests of earlier versions have only the name.
    return recorded.contains("\(part.kind.rawValue) \(part.month) \(part.number)") || ownership.database == names[part.kind]
  }

  /// The other databases from which parts came, each with its number of parts.
  func others(_ parts: [(part: PartName, ownership: Manifest.Ownership)]) -> [(database: String, parts: Int)] {
    var counts: [String: Int] = [:]
    for (part, ownership) in parts where !isOwn(part, ownership) { counts[ownership.words, default: 0] += 1 }
    return counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Checks that a folder to write to holds only parts of this database.
  /// - Throws: ``JobError`` (78) if it holds parts of another one
  func check(_ folder: String?) throws {
    guard let folder, let archive = try? ArchiveFolder(folder) else { return }
    let parts = try archive.contents().parts.compactMap { part in
      // `archives verify` reports manifests that cannot be read.
      ((try? archive.ownership(of: part)) ?? nil).map { (part, $0) }
    }
    let others = others(parts)
    guard !others.isEmpty else { return }
    let words = others.map { "\($0.parts) of the database \($0.database)" }.joined(separator: ", ")
    throw JobError(
      .configuration,
      "\(folder) holds parts of another database: \(words). A folder is for one database; archive_dir sets another one"
    )
  }

  /// Checks that the parts to restore are of this database, and warns of those that are not.
  /// - Throws: ``JobError`` (78) if some are not, this database has archives of its own, and
  ///   `takesOthers` is false
  func check(_ parts: [(PartName, Manifest)], takesOthers: Bool, _ context: RunContext) throws {
    let others = others(parts.map { ($0.0, $0.1.ownership) })
    guard !others.isEmpty else { return }
    let database = context.databases.logs.server.database
    guard takesOthers || !hasOwn else {
      let words = others.map { "\($0.parts) from the database \($0.database)" }.joined(separator: ", ")
      throw JobError(
        .configuration,
        "some of these parts were archived from another database than \(database): \(words). Nothing was restored. --from-other-database restores them, too; --file restores single ones"
      )
    }
    for other in others {
      context.log.warning(
        "\(other.parts) of the parts were archived from the database \(other.database) and are restored into \(database)")
    }
  }
}

extension ArchiveRecord.Home {
  /// The database that a manifest names.
  init?(_ origin: Manifest.Origin) {
    guard let system = origin.systemNumber else { return nil }
    self.init(system: system, database: origin.databaseOid)
  }
}

extension Manifest.Ownership {
  /// The database for people.
  fileprivate var words: String {
    database + (origin.map { " (oid \($0.databaseOid) of the server \($0.system))" } ?? "")
  }
}
