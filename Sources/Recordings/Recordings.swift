import Archive
import Files
import PostgreSQL
import Values

/// The recordings of call logs, one by one.
public enum Recordings {
  /// Finds a recording of a call log, blocked or not.
  /// - Parameters:
  ///   - callLog: the id as the request has it; any number is allowed
  ///   - participant: who must have taken part in the call in any role; nil for anybody
  public static func find(
    _ uuid: UUIDValue, ofCallLog callLog: Int64, tenants: VisibleTenants, participant: UUIDValue? = nil,
    on connection: Connection
  ) throws(PostgreSQLError) -> RecordingSearch {
    guard let id = Int32(exactly: callLog) else { return .noCallLog }
    let rows = try connection.query(
      """
      SELECT r.uuid, r.start_time, r.end_time, r.path FROM call_logd_call_log l
      LEFT JOIN call_logd_recording r ON r.call_log_id = l.id AND r.uuid = $2
      WHERE l.id = $1 AND ($3::uuid[] IS NULL OR l.tenant_uuid = ANY($3))
        AND ($4::uuid IS NULL OR EXISTS (SELECT FROM call_logd_call_log_participant p WHERE p.call_log_id = l.id AND p.user_uuid = $4))
      """, [.int4(id), .uuid(uuid), .tenants(tenants), participant.map { .uuid($0) } ?? .null],
      purpose: "Looking up a recording of call log \(id)")
    guard let row = rows.first else { return .noCallLog }
    guard let uuid = row.uuid(0), let start = row.timestamp(1), let end = row.timestamp(2) else { return .noRecording }
    guard let path = row.path(3) else { return .deleted }
    return .found(Recording(callLog: id, uuid: uuid, start: start, end: end, path: path))
  }

  /// Opens the audio of a recording.
  /// - Parameter folder: the folder of recordings (`recordings_dir`); a file elsewhere counts as
  ///   missing
  public static func open(_ recording: Recording, below folder: String) -> FileOpening {
    RecordingsFolder.open(recording.path, below: folder)
  }

  /// Opens a file by its path, if it is below one of these folders.
  public static func open(path: [UInt8], below folders: [String]) -> FileOpening {
    var outcome = FileOpening.missing
    for folder in folders {
      outcome = RecordingsFolder.open(path, below: folder)
      guard case .missing = outcome else { return outcome }
    }
    return outcome
  }
}

extension Parameter {
  /// The visible tenants as an array; NULL stands for all.
  package static func tenants(_ tenants: VisibleTenants) -> Parameter {
    tenants.list.map { .uuids($0) } ?? .null
  }

  /// An array of UUIDs.
  package static func uuids(_ uuids: [UUIDValue]) -> Parameter {
    var array = BinaryArray(.uuid)
    for uuid in uuids { array.append(uuid) }
    return .array(array)
  }
}

extension RowView {
  /// The bytes of a path; nil for NULL.
  package func path(_ column: Int) -> [UInt8]? { bytes(column) { bytes in bytes.map { Array($0) } } }
}
