/// A place in a run at which a test can look, wait, fail or kill the process. The article Named
/// points describes them all. Only debug builds act at points.
public enum Point: String, CaseIterable, Sendable {
  /// The run or its worker has claimed its ids and has read nothing.
  case afterClaim = "after-claim"
  /// The chunk is read, and nothing is written.
  case afterRead = "after-read"
  /// The old rows of some conversations are deleted, and the new ones are not copied in.
  case beforeCopy = "before-copy"
  /// The conversations that lie wholly in the chunk are stored, and the checkpoint is not locked.
  case beforeLock = "before-lock"
  /// The checkpoint is locked.
  case afterLock = "after-lock"
  /// Call logs are copied in, and their CELs do not point to them.
  case beforeLinks = "before-links"
  /// All call logs of the chunk are stored, and its ids are not covered.
  case beforeCoverage = "before-coverage"
  /// A transaction of a chunk, a deletion, an archive, a purge, a copy, a restore or the forgetting
  /// of recordings is complete except for its COMMIT. The removal of audio files passes this point,
  /// too.
  case beforeCommit = "before-commit"
  /// That transaction is committed. The removal of audio files does not pass this point.
  case afterCommit = "after-commit"
  /// Links are recorded for the CELs' own database, and will be made next.
  case beforeOldLinks = "before-old-links"
  /// The links are made, and still recorded.
  case afterOldLinks = "after-old-links"
  /// CELs are uncovered, and their call logs are not deleted.
  case beforeDelete = "before-delete"
  /// The call logs are deleted, and nothing is committed.
  case afterDelete = "after-delete"

  /// The files of a part of an archive are recorded, and none of them exists.
  case afterIntent = "after-intent"
  /// One file of a part has its name.
  case afterFile = "after-file"
  /// All files of the part have their names, and none is read back.
  case beforeVerify = "before-verify"
  /// All files of the part have the content that was written.
  case afterVerify = "after-verify"
  /// The gate is closed: no other run makes or deletes call logs. The part's rows are still there.
  case beforePurge = "before-purge"
  /// The part's rows are deleted, and nothing is committed.
  case afterPurge = "after-purge"
  /// With the CELs in their own database: their deletion is committed there, and not recorded.
  case afterRowsCommit = "after-rows-commit"
  /// A part is committed, and its manifest does not have its name.
  case beforeManifest = "before-manifest"
  /// The manifest has its name, and that is not recorded.
  case afterManifest = "after-manifest"
  /// The files of an incomplete part are removed, and its record still exists.
  case afterUndo = "after-undo"
  /// A part is verified and will be restored next.
  case beforeRestore = "before-restore"
  /// The part's rows are in the tables, and nothing is committed.
  case afterRestore = "after-restore"

  /// Audio files are queued for removal, the rows that name them are forgotten or will be
  /// next, and nothing is committed.
  case afterForget = "after-forget"
  /// A portion of the queue is read, and none of its files is removed.
  case beforeUnlink = "before-unlink"
  /// An audio file is removed, and still queued.
  case afterUnlink = "after-unlink"

  /// Whether only the removal of audio files passes this point.
  public var isOfAudio: Bool { self == .afterForget || self == .beforeUnlink || self == .afterUnlink }

  /// Whether only archive, purge and restore pass this point.
  public var isOfArchives: Bool {
    switch self {
    case .afterIntent, .afterFile, .beforeVerify, .afterVerify, .beforePurge, .afterPurge, .afterRowsCommit, .beforeManifest,
      .afterManifest, .afterUndo, .beforeRestore, .afterRestore, .afterForget, .beforeUnlink, .afterUnlink:
      true
    default: false
    }
  }
}

/// The action at the named points of a run. A release does nothing there.
package struct Points: Sendable {
  #if NAMED_POINTS
    private let action: @Sendable (Point) throws -> Void

    /// Calls `action` at every point; with nil, obeys the environment variable
    /// `WAZO_CALL_LOGS_POINT`.
    init(_ action: (@Sendable (Point) throws -> Void)?) throws {
      self.action = try action ?? PointOrders.ofEnvironment.get().reached
    }
  #endif

  /// Reports that the run has come to a point.
  /// - Throws: the error that the test throws there.
  @inline(__always)
  package func reached(_ point: @autoclosure () -> Point) throws {
    #if NAMED_POINTS
      try action(point())
    #endif
  }
}

extension RunContext {
  /// Reports that the run has come to a point.
  /// - Throws: the error that the test throws there.
  @inline(__always)
  package func reached(_ point: @autoclosure () -> Point) throws { try self.points.reached(point()) }
}
