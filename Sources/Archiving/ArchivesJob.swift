import Archive
import Files

/// `archives list` and `archives verify`: what an archive's folder holds. Needs no database and changes nothing.
public struct ArchivesJob {
  /// A part, or why it cannot be trusted.
  public struct Entry: Sendable {
    /// The part.
    public let part: PartName
    /// Its manifest; nil where that cannot be read.
    public let manifest: Manifest?
    /// What is wrong with it; nil where nothing was found.
    public let fault: String?
  }

  /// What the folder holds.
  public struct Listing: Sendable {
    /// The parts, by table, month and number.
    public var parts: [Entry] = []
    /// Paths of what belongs to no part: never touched, and never restored.
    public var unknown: [String] = []
    /// Whether the folder holds no part at all, of whatever table.
    public var isEmpty = false
    /// The parts with a fault.
    public var faults: [Entry] { parts.filter { $0.fault != nil } }
  }

  private let folder: String
  private let kinds: [ArchiveKind]
  private let stop: () throws -> Void

  /// A look at the archive in `folder`.
  /// - Parameter stop: called now and then; where it throws, the look ends
  public init(folder: String, kinds: [ArchiveKind], stop: @escaping () throws -> Void = {}) {
    (self.folder, self.kinds, self.stop) = (folder, kinds, stop)
  }

  /// Reads the manifests, and with `verifies` every file.
  /// - Throws: ``FileError`` where the folder itself cannot be read, is not there, or holds no part that could be verified
  public func run(verifies: Bool, progress: (PartName) -> Void = { _ in }) throws -> Listing {
    let archive = try ArchiveFolder.existing(folder)
    let contents = try archive.contents()
    // A folder on whose disk nothing is mounted must not count as verified.
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
