import Files
import PostgreSQL
import Recordings
import Values

/// The outcome of a request for the file of an export.
public enum ExportDownload: Sendable {
  /// The tenants have no such export, or its file was removed.
  case notFound
  /// The file is not made yet.
  case notDone
  /// The file could not be made.
  case failed
  /// The file is open.
  case opened(OpenedFile, ExportRecord)
  /// The file is missing. A file outside of the folders counts as missing.
  case missing(path: String)
  /// The service may not read the file, or the system refused for the reason given.
  case notPermitted(path: String, reason: String?)

  /// Opens the file of an export.
  /// - Parameter folders: the folder of exports (`exports.directory`), and the folder of recordings
  ///   (`recordings_dir`). No other file is opened.
  public static func open(_ uuid: UUIDValue, tenants: VisibleTenants, folders: [String], on connection: Connection)
    throws(PostgreSQLError) -> ExportDownload
  {
    guard let export = try ExportRecord.read(uuid, tenants: tenants, on: connection) else { return .notFound }
    switch export.status {
    case .pending, .processing: return .notDone
    case .error: return .failed
    case .finished, .deleted, nil: break
    }
    guard let path = export.path else { return .notFound }
    let text = String(decoding: path, as: UTF8.self)
    switch Recordings.open(path: path, below: folders) {
    case .opened(let file): return .opened(file, export)
    case .missing: return .missing(path: text)
    case .notPermitted: return .notPermitted(path: text, reason: nil)
    case .failed(let reason): return .notPermitted(path: text, reason: reason)
    }
  }
}
