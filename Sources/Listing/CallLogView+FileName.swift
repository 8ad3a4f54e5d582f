import Values

extension CallLogView {
  /// The name under which a recording is downloaded: when it began in UTC, the call log's id and
  /// its own uuid, such as `2026-03-02T08_00_03UTC-17-….wav`. A ``CallLogSearch`` for it finds the
  /// call log again.
  public func fileName(of recording: Recording) -> String {
    var name: [UInt8] = []
    appendFileName(of: recording, to: &name)
    return String(decoding: name, as: UTF8.self)
  }
}
