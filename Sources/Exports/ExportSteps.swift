import Files
import Foundation
import Logging
import PostgreSQL
import Recordings
import Store
import Values

/// The work on exports, step by step: it makes files, sends mails and purges. Any number of
/// services can do steps on one database. One of them works at a time, and each export is made
/// once.
///
/// A killed service leaves an export in the state `processing` and a temporary file. The next step
/// makes that export again.
public struct ExportSteps {
  /// The result of a step.
  public struct Outcome: Equatable, Sendable {
    /// Whether another service works on exports of this database.
    public var isBusy = false
    /// The export that got its file.
    public var made: UUIDValue?
    /// The export that failed.
    public var failed: UUIDValue?
    /// The export whose mail was sent.
    public var mailed: UUIDValue?
    /// The export whose mail failed; it may be tried again later.
    public var mailFailed: UUIDValue?

    /// Nothing was done.
    public init() {}

    /// Whether there was nothing to do.
    public var isIdle: Bool { self == Outcome() }
  }

  /// The moments at which a test can interfere.
  package enum Moment: CaseIterable, Sendable {
    case begun, written, named, finished, mailSent
  }

  /// A stop of the service ended the step. The export is made later.
  struct Interrupted: Error {}
  /// A recording cannot be exported.
  struct Problem: Error { let reason: String }

  let settings: ExportSettings
  let connection: Connection
  let interruption: Interruption
  let log: Logger
  let link: (ExportMail) throws -> String
  let reached: (Moment) throws -> Void

  /// Steps on a connection to the database of the call logs.
  /// - Parameters:
  ///   - interruption: its request ends the current step
  ///   - link: gives the address of a download with a token that is fetched now. The service logs
  ///     its errors, so they must not contain secrets.
  public init(
    _ settings: ExportSettings, on connection: Connection, interruption: Interruption, log: Logger,
    link: @escaping (ExportMail) throws -> String
  ) {
    self.init(settings, on: connection, interruption: interruption, log: log, reached: { _ in }, link: link)
  }

  package init(
    _ settings: ExportSettings, on connection: Connection, interruption: Interruption, log: Logger,
    reached: @escaping (Moment) throws -> Void, link: @escaping (ExportMail) throws -> String
  ) {
    (self.settings, self.connection, self.interruption, self.log) = (settings, connection, interruption, log)
    (self.reached, self.link) = (reached, link)
  }

  /// Makes the file of the oldest export that waits, and sends one mail that is due.
  /// - Throws: `PostgreSQLError`; the work can be tried again on another connection then
  public func next() throws -> Outcome {
    var outcome = Outcome()
    try locked(&outcome) { outcome in
      if let (export, attempts) = try begin() {
        if try make(export, attempts) { outcome.made = export.uuid } else { outcome.failed = export.uuid }
      }
      guard !interruption.isRequested else { return }
      try sendMail(&outcome)
    }
    return outcome
  }

  /// Runs the closure under the lock of exports, or notes that another service has the lock.
  func locked(_ outcome: inout Outcome, _ body: (inout Outcome) throws -> Void) throws {
    guard try ServiceLocks.takeExports(on: connection) else {
      outcome.isBusy = true
      return
    }
    // If this fails, the session ends, and the lock with it.
    defer { if (try? ServiceLocks.releaseExports(on: connection)) == nil { connection.close() } }
    do { try body(&outcome) } catch is Interrupted {}
  }

  /// Takes the oldest export with a request that has no file yet.
  private func begin() throws -> (export: ExportRecord, attempts: Int64)? {
    try connection.transaction(purpose: "Beginning an export") {
      let rows = try connection.query(
        """
        SELECT \(ExportRecord.columns) FROM call_logd_export_request q JOIN call_logd_export e ON e.uuid = q.export_uuid
        WHERE e.status IN ('pending', 'processing') ORDER BY e.requested_at, e.uuid LIMIT 1 FOR UPDATE
        """, purpose: "Looking for an export to make")
      guard let export = rows.first.flatMap({ ExportRecord($0) }) else { return nil }
      try connection.execute(
        "UPDATE call_logd_export SET status = 'processing' WHERE uuid = $1", [.uuid(export.uuid)], purpose: "Beginning an export")
      let attempts = try connection.query(
        "UPDATE call_logd_export_request SET attempts = attempts + 1 WHERE export_uuid = $1 RETURNING attempts",
        [.uuid(export.uuid)],
        purpose: "Beginning an export")
      return (export, attempts.int64(0, 0) ?? 1)
    }
  }

  /// Makes the file of an export.
  /// - Returns: false if the export failed
  private func make(_ export: ExportRecord, _ attempts: Int64) throws -> Bool {
    do {
      try reached(.begun)
      guard attempts <= settings.mostAttempts else {
        throw Problem(reason: "the file was begun \(settings.mostAttempts) times and never finished")
      }
      let folder = try ExportFolder.open(settings.folder)
      let (name, count) = ("\(export.uuid).zip", try write(export, in: folder))
      try reached(.named)
      guard try finish(export, path: settings.folder.withoutTrailingSlashes + "/" + name) else {
        if try !isFinished(export) { try folder.remove(name) }
        log.info("export \(export.uuid) was deleted or finished by another program while its file was made")
        return false
      }
      log.info("export \(export.uuid) is finished: \(count) recording\(count == 1 ? "" : "s")")
      try reached(.finished)
      return true
    } catch is Interrupted {
      try putOff(export)
    } catch let error as PostgreSQLError where error.kind == .cancelled {
      try putOff(export)
    } catch let problem as Problem {
      try fail(export, problem.reason)
    } catch let error as FileError {
      try fail(export, error.description)
    }
    return false
  }

  /// Leaves an export to the next start of the service.
  private func putOff(_ export: ExportRecord) throws -> Never {
    try connection.execute(
      "UPDATE call_logd_export_request SET attempts = greatest(attempts - 1, 0) WHERE export_uuid = $1", [.uuid(export.uuid)],
      purpose: "Putting an export off")
    throw Interrupted()
  }

  private func finish(_ export: ExportRecord, path: String) throws -> Bool {
    try connection.transaction(purpose: "Finishing an export") {
      let count = try connection.execute(
        "UPDATE call_logd_export SET status = 'finished', path = $2 WHERE uuid = $1 AND status = 'processing'",
        [.uuid(export.uuid), .text(path)], purpose: "Finishing an export")
      try forgetRecordings(export)
      return count == 1
    }
  }

  /// Whether another service has finished the export. Then the file is of use.
  private func isFinished(_ export: ExportRecord) throws -> Bool {
    try connection.query(
      "SELECT EXISTS (SELECT FROM call_logd_export WHERE uuid = $1 AND status = 'finished')", [.uuid(export.uuid)],
      purpose: "Looking for an export"
    ).bool(0, 0) == true
  }

  private func fail(_ export: ExportRecord, _ reason: String) throws {
    log.warning("export \(export.uuid) failed: \(reason)")
    try connection.transaction(purpose: "Ending an export that failed") {
      try connection.execute(
        "UPDATE call_logd_export SET status = 'error', path = NULL WHERE uuid = $1 AND status = 'processing'",
        [.uuid(export.uuid)], purpose: "Ending an export that failed")
      // Wazo sends a mail on success only.
      try connection.execute(
        "UPDATE call_logd_export_request SET error = $2, mail = 'none', email = NULL WHERE export_uuid = $1",
        [.uuid(export.uuid), .text(reason)], purpose: "Ending an export that failed")
      try forgetRecordings(export)
    }
  }

  private func forgetRecordings(_ export: ExportRecord) throws {
    try connection.execute(
      "DELETE FROM call_logd_export_recording WHERE export_uuid = $1", [.uuid(export.uuid)],
      purpose: "Forgetting the recordings of an export")
  }
}

extension String {
  var withoutTrailingSlashes: String {
    var text = self[...]
    while text.count > 1, text.hasSuffix("/") { text.removeLast() }
    return String(text)
  }
}
