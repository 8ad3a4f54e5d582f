import Files
import Foundation
import Values

/// The folder of an archive and its parts.
public struct ArchiveFolder {
  /// The folder itself.
  public let root: Folder

  /// Opens the folder.
  /// - Throws: ``FileError`` (`inputOutput`) where it cannot be opened or created.
  public init(_ path: String, creates: Bool = false) throws(FileError) {
    root = try Folder.root(path, creates: creates)
  }

  /// Opens the folder of an archive for reading.
  /// - Throws: ``FileError``: `damaged` where the folder does not exist, `inputOutput` where it
  ///   cannot be opened.
  public static func existing(_ path: String) throws(FileError) -> ArchiveFolder {
    var status = stat()
    if stat(path, &status) != 0, errno == ENOENT || errno == ENOTDIR { throw noPart(in: path) }
    return try ArchiveFolder(path)
  }

  /// The error for a folder without any part of an archive.
  public static func noPart(in path: String) -> FileError {
    FileError(
      .damaged, "there is no part of an archive in \(path); check archive_dir, and that its disk is mounted")
  }

  /// Checks that the path still leads to the open folder. If the folder was moved or unmounted, new
  /// files would go there unseen.
  /// - Throws: ``FileError`` (`inputOutput`) where it does not.
  public func checkInPlace() throws(FileError) {
    var (opened, there) = (stat(), stat())
    guard fstat(root.descriptor, &opened) == 0, stat(root.path, &there) == 0 else {
      throw FileError.system("the archive folder \(root.path) is gone")
    }
    guard opened.st_dev == there.st_dev, opened.st_ino == there.st_ino else {
      throw FileError(.inputOutput, "the archive folder \(root.path) was replaced by another one during the run")
    }
  }

  /// The contents of an archive's folder.
  public struct Contents {
    /// Parts with a manifest, in the order of table, month and number.
    public var parts: [PartName] = []
    /// Parts whose manifest has only its temporary name: the run ended before the part was
    /// complete.
    public var unpublished: [PartName] = []
    /// Paths below the folder that belong to no part with a manifest. The program never reads,
    /// restores or removes them.
    public var unknown: [String] = []
  }

  /// Lists the whole folder.
  /// - Throws: ``FileError`` where a folder cannot be read.
  public func contents() throws(FileError) -> Contents {
    var contents = Contents()
    for name in try root.names() {
      guard let kind = ArchiveKind(rawValue: name), let tables = try root.folder([name]) else {
        contents.unknown.append(name)
        continue
      }
      for year in try tables.names() {
        guard year.utf8.count == 4, Month("\(year)-01") != nil, let years = try tables.folder([year]) else {
          contents.unknown.append("\(name)/\(year)")
          continue
        }
        for text in try years.names() {
          guard text.hasPrefix(year), let month = Month(text), let folder = try years.folder([text]) else {
            contents.unknown.append("\(name)/\(year)/\(text)")
            continue
          }
          try add(kind, month, folder, to: &contents)
        }
      }
    }
    return contents
  }

  private func add(_ kind: ArchiveKind, _ month: Month, _ folder: Folder, to contents: inout Contents) throws(FileError) {
    let names = try folder.names()
    var parts: Set<PartName> = []
    for name in names {
      if let part = PartName(fileName: name, kind: kind, month: month), part.manifest == name { parts.insert(part) }
    }
    contents.parts += parts.sorted { $0.number < $1.number }
    for name in names {
      let part = PartName(fileName: name, kind: kind, month: month)
      if let part, parts.contains(part), !name.hasPrefix(".") { continue }
      if let part, !parts.contains(part), name == PartName.temporary(part.manifest) { contents.unpublished.append(part) }
      contents.unknown.append((PartName.folders(kind, month) + [name]).joined(separator: "/"))
    }
  }

  /// The greatest part number of any file for that table and month; 0 where there is none.
  public func greatestNumber(_ kind: ArchiveKind, _ month: Month) throws(FileError) -> Int {
    guard let folder = try root.folder(PartName.folders(kind, month)) else { return 0 }
    return try folder.names().compactMap { PartName(fileName: $0, kind: kind, month: month)?.number }.max() ?? 0
  }

  /// The folder of a part; nil where it does not exist.
  /// - Throws: ``FileError`` where it cannot be opened or created.
  public func folder(of part: PartName, creates: Bool = false) throws(FileError) -> Folder? {
    try root.folder(part.folders, creates: creates)
  }

  /// Reads and checks the manifest of a part.
  /// - Throws: ``FileError`` where it is missing, damaged, of a later format, or in the wrong
  ///   place.
  public func manifest(of part: PartName) throws(FileError) -> Manifest {
    guard let folder = try folder(of: part), let json = try folder.read(part.manifest) else {
      throw FileError(.damaged, "\(root.path)/\(part) is missing")
    }
    return try Manifest(json: json, of: part)
  }

  /// Reads the owner of a part; nil where the manifest does not show it.
  public func ownership(of part: PartName) throws(FileError) -> Manifest.Ownership? {
    guard let folder = try folder(of: part), let json = try folder.read(part.manifest) else { return nil }
    return Manifest.Ownership(json: json)
  }

  /// Reads the manifest of a part under its final or its temporary name. The result is nil where no
  /// complete manifest exists; then no row of the part was deleted.
  public func anyManifest(of part: PartName) throws(FileError) -> (json: [UInt8], isPublished: Bool)? {
    guard let folder = try folder(of: part) else { return nil }
    if let json = try folder.read(part.manifest) { return (json, true) }
    // The end of the manifest is written last, and is durable before any row is deleted.
    guard let json = try folder.read(PartName.temporary(part.manifest)), json.suffix(2) == Array("}\n".utf8)[...] else {
      return nil
    }
    return (json, false)
  }

  /// Reads every file of a part and compares it with the manifest.
  /// - Parameters:
  ///   - checksIDs: whether to check the ids in the rows, too
  ///   - stop: called between pieces; its error ends the reading
  /// - Throws: ``FileError`` that names the damaged file and the damage.
  public func verify(
    _ manifest: Manifest, of part: PartName, checksIDs: Bool = true, stop: () throws -> Void = {}
  ) throws {
    guard let folder = try folder(of: part) else {
      throw FileError(.damaged, "the folder of \(root.path)/\(part) is missing")
    }
    for file in manifest.files {
      if checksIDs {
        try ArchiveReader.readIDs(file, within: manifest.ids, in: folder, stop: stop)
      } else {
        try ArchiveReader.read(file, in: folder, stop: stop)
      }
    }
  }

  /// Reads every file of a part, compares it with the manifest, and gives the ids of the part's
  /// rows.
  /// - Throws: ``FileError`` that names the damaged file and the damage.
  public func ids(_ manifest: Manifest, of part: PartName, stop: () throws -> Void = {}) throws -> [Int64] {
    guard let folder = try folder(of: part) else {
      throw FileError(.damaged, "the folder of \(root.path)/\(part) is missing")
    }
    var ids: [Int64] = []
    for file in manifest.files {
      let isMain = file.content == part.kind.contents[0]
      try ArchiveReader.readIDs(file, within: manifest.ids, in: folder, stop: stop) { if isMain { ids.append($0) } }
    }
    return ids
  }

  /// Removes the files of an incomplete part, including those with temporary names.
  /// - Returns: false where the part has a manifest and so is complete; then it removes nothing.
  public func removeUnfinished(_ part: PartName) throws(FileError) -> Bool {
    guard let folder = try folder(of: part) else { return true }
    if try folder.has(part.manifest) { return false }
    for name in part.files + [part.manifest] {
      try folder.remove(PartName.temporary(name))
      if name != part.manifest { try folder.remove(name) }
    }
    try folder.sync()
    return true
  }
}
