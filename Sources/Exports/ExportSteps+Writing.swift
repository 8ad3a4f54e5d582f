import Files
import Foundation
import PostgreSQL
import Recordings
import Values

extension ExportSteps {
  private static let page: Int64 = 500

  /// Writes the zip file of an export. The file gets its name when it is complete and on the disk.
  /// - Returns: the number of its recordings
  /// - Throws: ``Problem`` at the first recording without a readable file; `FileError` where the
  ///   zip file cannot be written; ``Interrupted``
  func write(_ export: ExportRecord, in folder: Folder) throws -> Int {
    let name = "\(export.uuid).zip"
    try ExportFolder.removeLeftovers(of: name, in: folder)
    let file = try DurableFile(
      name, temporary: ".\(name).\(UInt64.random(in: 0 ... .max))", in: folder, mode: 0o600, isSole: true)
    let zip = try ZipWriter { try file.write($0) }
    var count = 0
    try forEachRecording(of: export) { recording in
      try add(recording, to: zip)
      count += 1
    }
    guard count > 0 else { throw Problem(reason: "it has no recordings any more") }
    try zip.finish()
    try reached(.written)
    try file.finish(.replacing)
    return count
  }

  private func add(_ recording: Recording, to zip: ZipWriter) throws {
    let opened: OpenedFile
    switch Recordings.open(recording, below: settings.recordingsFolder) {
    case .opened(let file): opened = file
    case .missing: throw Problem(reason: "the file of recording \(recording.uuid) is missing")
    case .notPermitted: throw Problem(reason: "the service may not read the file of recording \(recording.uuid)")
    case .failed(let reason): throw Problem(reason: "the file of recording \(recording.uuid) cannot be read: \(reason)")
    }
    try zip.add("\(recording.callLog)/\(recording.fileName)", opened) {
      if interruption.isRequested { throw Interrupted() }
    }
  }

  /// Gives the recordings in the order of their call logs. Their paths are those of now.
  private func forEachRecording(of export: ExportRecord, _ body: (Recording) throws -> Void) throws {
    var last: (callLog: Int32, uuid: UUIDValue) = (.min, UUIDValue(high: 0, low: 0))
    while true {
      if interruption.isRequested { throw Interrupted() }
      let rows = try connection.query(
        """
        SELECT x.call_log_id, x.recording_uuid, r.start_time, r.end_time, r.path
        FROM call_logd_export_recording x LEFT JOIN call_logd_recording r ON r.uuid = x.recording_uuid
        WHERE x.export_uuid = $1 AND (x.call_log_id, x.recording_uuid) > ($2, $3)
        ORDER BY x.call_log_id, x.recording_uuid LIMIT $4
        """, [.uuid(export.uuid), .int4(last.callLog), .uuid(last.uuid), .int8(ExportSteps.page)],
        purpose: "Reading the recordings of an export")
      for row in rows {
        guard let callLog = row.int64(0).flatMap({ Int32(exactly: $0) }), let uuid = row.uuid(1) else { continue }
        last = (callLog, uuid)
        guard let start = row.timestamp(2), let end = row.timestamp(3), let path = row.path(4) else {
          throw Problem(reason: "the audio of recording \(uuid) was deleted after the request")
        }
        try body(Recording(callLog: callLog, uuid: uuid, start: start, end: end, path: path))
      }
      if rows.count < Int(ExportSteps.page) { return }
    }
  }
}

/// The folder of the zip files.
enum ExportFolder {
  /// Opens the folder. A missing one is made, and only its owner can enter it.
  static func open(_ path: String) throws(FileError) -> Folder {
    try make(path, parents: 64)
    return try Folder.root(path, creates: false)
  }

  private static func make(_ path: String, parents: Int) throws(FileError) {
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
    if mkdir(path, 0o700) != 0 {
      if errno == EEXIST { return }
      guard errno == ENOENT, parents > 0 else { throw FileError.system("cannot create the folder \(path)") }
      try make(parent, parents: parents - 1)
      guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw FileError.system("cannot create the folder \(path)") }
    }
    // The folder must not vanish with a file that counts as finished.
    try Folder.root(parent, creates: false).sync()
  }

  /// Removes temporary files that a killed service left.
  static func removeLeftovers(of name: String, in folder: Folder) throws(FileError) {
    for leftover in try folder.names() where leftover.hasPrefix(".\(name).") { try folder.remove(leftover) }
  }
}
