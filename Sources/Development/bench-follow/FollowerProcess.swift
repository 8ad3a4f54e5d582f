import Foundation
import PostgreSQL

/// The program at work, and what it costs.
final class FollowerProcess {
  private let process = Process()
  private let folder: String
  private let program: String
  private let uri: String

  init(_ program: String, uri: String) throws {
    folder = NSTemporaryDirectory() + "bench-follow-\(ProcessInfo.processInfo.processIdentifier)"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try Data().write(to: URL(fileURLWithPath: folder + "/empty.yml"))
    (self.program, self.uri) = (program, uri)
    prepare(process, ["follow"])
    try process.run()
  }

  private func prepare(_ process: Process, _ words: [String]) {
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = words + ["--db-uri", uri, "--default-tenant", "00000000-0000-4000-8000-000000000001"]
    process.environment = ProcessInfo.processInfo.environment.merging([
      "WAZO_CALL_LOGS_CONFIG": folder + "/empty.yml", "WAZO_CALL_LOGS_CHECKPOINT_DIR": folder + "/checkpoints",
    ]) { $1 }
    process.standardInput = FileHandle.nullDevice
  }

  /// Runs another verb to its end.
  func run(_ words: [String]) throws {
    let other = Process()
    prepare(other, words)
    try other.run()
    other.waitUntilExit()
    guard other.terminationStatus == 0 else { throw Failed(description: "\(words[0]) ended with \(other.terminationStatus)") }
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Ends it in order.
  func stop() {
    guard process.isRunning else { return }
    process.terminate()
    process.waitUntilExit()
  }

  /// Waits until it follows.
  func waitUntilItLeads(_ uri: String) throws {
    for _ in 0..<600 {
      guard process.isRunning else { break }
      let leads = try? query(
        uri, "SELECT count(*) FROM call_logd_follower WHERE beat > now() - interval '5 s' AND sessions <> '{}'")
      if leads?.int64(0, 0) == 1 { return }
      Thread.sleep(forTimeInterval: 0.1)
    }
    throw Failed(description: "the follower did not begin to follow")
  }

  /// A follower that ended.
  struct Failed: Error, CustomStringConvertible { let description: String }

  /// What it has used so far, or in a time.
  struct Usage {
    /// The process: seconds, or percent of a core.
    var cpu = 0.0
    /// Its sessions in the server: the same.
    var server = 0.0
    /// The memory that it has resident, in MB.
    var memory = 0.0

    func since(_ before: Usage, _ seconds: Double) -> Usage {
      Usage(cpu: (cpu - before.cpu) / seconds * 100, server: (server - before.server) / seconds * 100, memory: memory)
    }
  }

  func usage(_ uri: String) throws -> Usage {
    guard process.isRunning else { throw Failed(description: "the follower ended with \(process.terminationStatus)") }
    let sessions = try query(uri, "SELECT pid::int8 FROM pg_stat_activity WHERE application_name = 'wazo-call-logs'")
    var usage = Usage()
    usage.cpu = FollowerProcess.seconds(Int(process.processIdentifier))
    usage.server = sessions.compactMap { $0.int64(0) }.reduce(0) { $0 + FollowerProcess.seconds(Int($1)) }
    let status = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    usage.memory = (line.flatMap { Double($0.filter(\.isNumber)) } ?? 0) / 1024
    return usage
  }

  private func query(_ uri: String, _ sql: String) throws -> Rows {
    let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "bench"), log: quiet)
    defer { connection.close() }
    return try connection.query(sql, purpose: "Looking at the follower")
  }

  /// CPU seconds of a process (proc(5): utime and stime are the 14th and 15th field).
  private static func seconds(_ pid: Int) -> Double {
    let stat = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
    let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}
