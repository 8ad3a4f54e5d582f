import Archive
import Files
import PostgreSQL
import Store
import Values

/// The outcome of a deletion of audio.
public enum RecordingDeletion: Equatable, Sendable {
  /// The audio is gone. Recordings without audio are fine, too.
  case done
  /// The tenants have no call log of this id. Nothing is deleted.
  case noCallLog(Int64)
  /// The call log has no such recording.
  case noRecording
  /// The file of this recording could not be removed, and the recording keeps its path. The audio
  /// of the recordings before it is gone.
  case notRemoved(Recording, reason: String)
}

extension Recordings {
  /// Deletes the audio of one recording: first the file, then the path.
  ///
  /// A file outside of the folder stays, and so does a file that another recording has. The
  /// recording loses its path all the same.
  /// - Parameter folder: the folder of recordings (`recordings_dir`)
  /// - Throws: `PostgreSQLError`; `commitUnknown` among them. The deletion can be tried again.
  public static func delete(
    _ uuid: UUIDValue, ofCallLog callLog: Int64, tenants: VisibleTenants, folder: String, on connection: Connection
  ) throws -> RecordingDeletion {
    switch try find(uuid, ofCallLog: callLog, tenants: tenants, on: connection) {
    case .noCallLog: return .noCallLog(callLog)
    case .noRecording: return .noRecording
    case .deleted: return .done
    case .found(let recording):
      return try Deletion(folder, connection).delete([recording.callLog], only: uuid)
    }
  }

  /// Deletes the audio of all recordings of these call logs. If the tenants lack one of the call
  /// logs, nothing is deleted.
  /// - Parameters:
  ///   - callLogs: the ids as the request has them; any numbers are allowed
  ///   - folder: the folder of recordings (`recordings_dir`)
  /// - Throws: `PostgreSQLError`; `commitUnknown` among them. The deletion can be tried again.
  public static func delete(
    ofCallLogs callLogs: [Int64], tenants: VisibleTenants, folder: String, on connection: Connection
  ) throws -> RecordingDeletion {
    let ids = callLogs.compactMap { Int32(exactly: $0) }
    let rows = try connection.query(
      "SELECT id FROM call_logd_call_log WHERE id = ANY($1) AND ($2::uuid[] IS NULL OR tenant_uuid = ANY($2))",
      [.int4Array(ids), .tenants(tenants)], purpose: "Looking up \(ids.count) call logs")
    let known = Set(rows.compactMap { $0.int64(0) })
    if let unknown = callLogs.first(where: { !known.contains($0) }) { return .noCallLog(unknown) }
    let sorted = Set(ids).sorted()
    var rest = sorted[...]
    while !rest.isEmpty {
      let some = Array(rest.prefix(Deletion.batch))
      rest = rest.dropFirst(Deletion.batch)
      let outcome = try Deletion(folder, connection).delete(some, only: nil)
      guard outcome == .done else { return outcome }
    }
    return .done
  }
}

/// The deletion of the audio of some call logs, in one transaction.
private struct Deletion {
  /// How many call logs one transaction works on. It keeps the gate closed meanwhile.
  static let batch = 100

  private let path: String
  private let connection: Connection

  init(_ path: String, _ connection: Connection) { (self.path, self.connection) = (path, connection) }

  func delete(_ callLogs: [Int32], only uuid: UUIDValue?) throws -> RecordingDeletion {
    try connection.transaction(purpose: "Deleting recordings") {
      try ServiceLocks.closeGates(on: connection)
      let recordings = try lock(callLogs, only: uuid)
      guard !recordings.isEmpty else { return .done }
      var gone: [UUIDValue] = []
      var failed: RecordingDeletion?
      let folder: RecordingsFolder
      switch RecordingsFolder.find(path) {
      case .success(let opened): folder = opened
      case .failure(let obstacle): return .notRemoved(recordings[0], reason: obstacle.description)
      }
      for recording in recordings {
        if let reason = try remove(recording, besides: gone, from: folder) {
          failed = .notRemoved(recording, reason: reason)
          break
        }
        gone.append(recording.uuid)
      }
      // A path goes only when the removal of its file is durable.
      do throws(FileError) { try folder.sync() } catch {
        return .notRemoved(recordings[0], reason: error.description)
      }
      try connection.execute(
        "UPDATE call_logd_recording SET path = NULL WHERE uuid = ANY($1)", [.uuids(gone)],
        purpose: "Clearing paths of audio files")
      return failed ?? .done
    }
  }

  private func lock(_ callLogs: [Int32], only uuid: UUIDValue?) throws -> [Recording] {
    try connection.query(
      """
      SELECT call_log_id, uuid, start_time, end_time, path FROM call_logd_recording
      WHERE call_log_id = ANY($1) AND ($2::uuid IS NULL OR uuid = $2) AND path IS NOT NULL
      ORDER BY call_log_id, start_time, uuid FOR UPDATE
      """, [.int4Array(callLogs), uuid.map { .uuid($0) } ?? .null], purpose: "Locking recordings"
    ).compactMap { row in
      guard let id = row.int64(0).flatMap({ Int32(exactly: $0) }), let uuid = row.uuid(1), let start = row.timestamp(2),
        let end = row.timestamp(3), let path = row.path(4)
      else { return nil }
      return Recording(callLog: id, uuid: uuid, start: start, end: end, path: path)
    }
  }

  /// Removes the file of a recording, unless another recording has it.
  /// - Parameter gone: recordings that lose their path in this transaction
  /// - Returns: why the file is still there; nil if the path can go
  private func remove(_ recording: Recording, besides gone: [UUIDValue], from folder: RecordingsFolder) throws -> String? {
    guard try !isNamed(recording, besides: gone) else { return nil }
    switch try folder.remove(recording.path) {
    case .removed, .missing, .refused: return nil
    case .failed(let reason): return reason
    }
  }

  private func isNamed(_ recording: Recording, besides gone: [UUIDValue]) throws -> Bool {
    // The expression is that of the index call_logd_recording__idx__path.
    try connection.query(
      """
      SELECT EXISTS (SELECT FROM call_logd_recording WHERE path IS NOT NULL AND NOT uuid = ANY($2)
        AND regexp_replace(path, '/(\\.?/)+', '/', 'g')
          = (SELECT regexp_replace(path, '/(\\.?/)+', '/', 'g') FROM call_logd_recording WHERE uuid = $1))
      """, [.uuid(recording.uuid), .uuids(gone + [recording.uuid])],
      purpose: "Checking whether other recordings name the same audio file"
    ).bool(0, 0) == true
  }
}
