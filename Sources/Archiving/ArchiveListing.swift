import Archive
import Files

/// `archives list` and `archives verify`: reads a folder of archives. Needs no database and changes
/// nothing.
public struct ArchiveListing {
  /// A part, and its fault if it has one.
  public struct Entry: Sendable {
    /// The part.
    public let part: PartName
    /// Its manifest; nil if that cannot be read.
    public let manifest: Manifest?
    /// The fault; nil if none was found.
    public let fault: String?
  }

  /// The content of the folder.
  public struct Listing: Sendable {
    /// The parts, by table, month and number.
    public var parts: [Entry] = []
    /// Paths of files that belong to no part. No verb touches or restores them.
    public var unknown: [String] = []
    /// Whether the folder holds no part of any table.
    public var isEmpty = false
    /// The parts with a fault.
    public var faults: [Entry] { parts.filter { $0.fault != nil } }
  }

  private let folder: String
  private let kinds: [ArchiveKind]
  private let stop: () throws -> Void

  /// Makes a job on the archive in `folder`.
  /// - Parameter stop: called now and then; an error that it throws ends the job
  public init(folder: String, kinds: [ArchiveKind], stop: @escaping () throws -> Void = {}) {
    (self.folder, self.kinds, self.stop) = (folder, kinds, stop)
  }

  /// Reads the manifests, and with `verifies` every file.
  /// - Throws: ``FileError`` if the folder cannot be read or is missing, or if `verifies` finds no
  ///   part in it
  public func run(verifies: Bool, progress: (PartName) -> Void = { _ in }) throws -> Listing {
    let archive = try ArchiveFolder.existing(folder)
    let contents = try archive.contents()
    // The disk of an empty folder may not be mounted. That must not count as verified.
    if verifies, contents.parts.isEmpty { throw ArchiveFolder.noPart(in: folder) }
    var listing = Listing()
    listing.isEmpty = contents.parts.isEmpty
    listing.unknown = contents.unknown
    for part in contents.parts where kinds.contains(part.kind) {
      try stop()
      progress(part)
      var manifest: Manifest?
      do {
        let found = try archive.manifest(of: part)
        manifest = found
        if verifies { try archive.verify(found, of: part, stop: stop) }
        listing.parts.append(Entry(part: part, manifest: found, fault: nil))
      } catch let error as FileError {
        listing.parts.append(Entry(part: part, manifest: manifest, fault: error.description))
      }
    }
    return listing
  }
}
