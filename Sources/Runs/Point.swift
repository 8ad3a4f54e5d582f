/// A place in a run at which tests can look, wait, fail or kill the process. Only builds for tests and soak know how to use them.
public enum Point: String, CaseIterable, Sendable {
  /// The run, or its worker, has claimed what it works on; nothing is read yet.
  case afterClaim = "after-claim"
  /// The chunk is read, nothing is written.
  case afterRead = "after-read"
  /// The old rows of some conversations are deleted, the new ones not copied in yet.
  case beforeCopy = "before-copy"
  /// What lies whole in the chunk is stored, the checkpoint not locked yet.
  case beforeLock = "before-lock"
  /// The checkpoint is locked.
  case afterLock = "after-lock"
  /// Call logs are copied in, their CELs do not point to them yet.
  case beforeLinks = "before-links"
  /// All call logs of the chunk are stored, its ids not covered yet.
  case beforeCoverage = "before-coverage"
  /// The transaction of a chunk, of `generate` or of `delete`, is complete but for its COMMIT.
  case beforeCommit = "before-commit"
  /// It is committed.
  case afterCommit = "after-commit"
  /// Links are recorded for the CELs' own database, and about to be made.
  case beforeOldLinks = "before-old-links"
  /// They are made, and recorded still.
  case afterOldLinks = "after-old-links"
  /// CELs are uncovered, their call logs not deleted yet.
  case beforeDelete = "before-delete"
  /// The call logs are deleted, nothing is committed yet.
  case afterDelete = "after-delete"

  /// The files of a part of an archive are on record, none of them exists.
  case afterIntent = "after-intent"
  /// One of the files of a part has its name.
  case afterFile = "after-file"
  /// All of them have, nothing is read back yet.
  case beforeVerify = "before-verify"
  /// All of them are what was written.
  case afterVerify = "after-verify"
  /// Nobody but this run makes or deletes call logs; the part's rows are still there.
  case beforePurge = "before-purge"
  /// The part's rows are deleted, nothing is committed yet.
  case afterPurge = "after-purge"
  /// With the CELs in a database of their own: their deletion is committed there, not recorded yet.
  case afterRowsCommit = "after-rows-commit"
  /// A part is committed, its manifest has not its name yet.
  case beforeManifest = "before-manifest"
  /// The manifest has its name, which is not on record yet.
  case afterManifest = "after-manifest"
  /// The files of a part that was not completed are removed, it is on record still.
  case afterUndo = "after-undo"
  /// A part is verified and about to be restored.
  case beforeRestore = "before-restore"
  /// Its rows are in the tables, nothing is committed yet.
  case afterRestore = "after-restore"

  /// Audio files are on the list of those to be removed, and the rows that named them forgotten or about to be; nothing is committed yet.
  case afterForget = "after-forget"
  /// Some of the list is read, none of these files is removed.
  case beforeUnlink = "before-unlink"
  /// An audio file is removed, it is on the list still.
  case afterUnlink = "after-unlink"

  /// Whether only the removal of audio files comes by it.
  public var isOfAudio: Bool { self == .afterForget || self == .beforeUnlink || self == .afterUnlink }

  /// Whether only archive, purge and restore come by it.
  public var isOfArchives: Bool {
    switch self {
    case .afterIntent, .afterFile, .beforeVerify, .afterVerify, .beforePurge, .afterPurge, .afterRowsCommit, .beforeManifest,
      .afterManifest, .afterUndo, .beforeRestore, .afterRestore, .afterForget, .beforeUnlink, .afterUnlink:
      true
    default: false
    }
  }
}

/// What happens at the named points of a run: nothing at all in a release.
package struct Points: Sendable {
  #if NAMED_POINTS
    private let action: @Sendable (Point) throws -> Void

    /// Points at which `action` is called; without one they do what the environment asks for.
    init(_ action: (@Sendable (Point) throws -> Void)?) throws {
      self.action = try action ?? PointOrders.ofEnvironment.get().reached
    }
  #endif

  /// To be called wherever the run comes by a point.
  /// - Throws: what the test wants to be thrown.
  @inline(__always)
  package func reached(_ point: @autoclosure () -> Point) throws {
    #if NAMED_POINTS
      try action(point())
    #endif
  }
}

extension RunContext {
  /// To be called wherever the run comes by a point.
  @inline(__always)
  package func reached(_ point: @autoclosure () -> Point) throws { try self.points.reached(point()) }
}
