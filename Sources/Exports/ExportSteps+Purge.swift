import Archive
import Files
import PostgreSQL
import Recordings
import Values

extension ExportSteps {
  /// Removes the files of exports whose days are over, and marks the exports `deleted`. The days
  /// are the tenant's own, or the stored default, or Wazo's built-in 2. A day has 24 hours and
  /// begins with the request. Exports that another program made stay.
  /// - Returns: the exports that are marked; nil if another service works on exports
  /// - Throws: `PostgreSQLError`
  public func purge() throws -> [UUIDValue]? {
    var outcome = Outcome()
    var purged: [UUIDValue] = []
    try locked(&outcome) { _ in
      for export in try due() {
        if interruption.isRequested { return }
        if try removeFile(of: export) {
          try forget(export)
          purged.append(export.uuid)
        }
      }
    }
    if !purged.isEmpty { log.info("\(purged.count) export\(purged.count == 1 ? " is" : "s are") purged") }
    return outcome.isBusy ? nil : purged
  }

  private func due() throws -> [ExportRecord] {
    // 2,000,000 days are 5,475 years. PostgreSQL's time goes not much further back.
    try connection.query(
      """
      SELECT \(ExportRecord.columns) FROM call_logd_export_request q JOIN call_logd_export e ON e.uuid = q.export_uuid
      LEFT JOIN call_logd_retention r ON r.tenant_uuid = e.tenant_uuid
      LEFT JOIN (SELECT retention_export_days FROM call_logd_config ORDER BY id LIMIT 1) c ON true
      WHERE e.status NOT IN ('pending', 'processing') AND e.requested_at < now() - make_interval(
        hours => 24 * greatest(0, least(2000000, coalesce(r.export_days, c.retention_export_days, $1))))
      ORDER BY e.requested_at, e.uuid
      """, [.int4(RetentionDays.builtIn.exports ?? 2)], purpose: "Looking for exports to purge"
    ).compactMap { ExportRecord($0) }
  }

  /// - Returns: whether the file is gone for good
  private func removeFile(of export: ExportRecord) throws -> Bool {
    guard let path = export.path else { return true }
    do throws(FileError) {
      let folder = try RecordingsFolder(settings.folder)
      let outcome = try folder.remove(path)
      try folder.sync()
      switch outcome {
      case .removed, .missing: return true
      case .refused(let reason), .failed(let reason):
        log.warning("the file of export \(export.uuid) is not removed: \(reason). The next purge tries again")
      }
    } catch {
      log.warning("the file of export \(export.uuid) is not removed: \(error). The next purge tries again")
    }
    return false
  }

  private func forget(_ export: ExportRecord) throws {
    try connection.transaction(purpose: "Purging an export") {
      try connection.execute(
        "UPDATE call_logd_export SET status = 'deleted', path = NULL WHERE uuid = $1", [.uuid(export.uuid)],
        purpose: "Purging an export")
      try connection.execute(
        "DELETE FROM call_logd_export_request WHERE export_uuid = $1", [.uuid(export.uuid)], purpose: "Purging an export")
    }
  }
}
