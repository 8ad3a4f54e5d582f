import Foundation
import PrivateServer
import Synchronization

/// Runs programs against the server and measures them.
final class Commands {
  let server: PrivateServer
  let program: String
  private let folder: URL

  init(server: PrivateServer, program: String) throws {
    self.server = server
    self.program = program
    folder = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent(
      "bench-call-logs-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: file("empty.yml")))
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// The path of a file that is removed after all measures.
  func file(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// The cost of a command.
  struct Took {
    var seconds: Double
    /// Its greatest resident memory, in bytes.
    var memory: Int
    var text: String
  }

  /// Runs psql.
  @discardableResult
  func psql(_ database: String, _ arguments: [String]) throws -> Took {
    try run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database] + arguments)
  }

  /// Runs SQL.
  @discardableResult
  func sql(_ database: String, _ statements: String...) throws -> Took {
    try psql(database, ["-At"] + statements.flatMap { ["-c", $0] })
  }

  /// Runs wazo-call-logs.
  @discardableResult
  func wazo(_ database: String, _ arguments: [String]) throws -> Took {
    try run(
      [program] + arguments + [
        "--db-uri", server.uri(database: database), "--default-tenant", "00000000-0000-4000-8000-000000000001",
      ])
  }

  /// Runs a command to its end.
  @discardableResult
  func run(_ words: [String]) throws -> Took {
    let environment = ProcessInfo.processInfo.environment.merging(server.environment) { $1 }.merging([
      "WAZO_CALL_LOGS_CONFIG": file("empty.yml"), "WAZO_CALL_LOGS_CHECKPOINT_DIR": file("checkpoints"),
    ]) { $1 }
    let watch = MemoryWatch()
    let started = ContinuousClock.now
    let child = try Child(words, environment: environment)
    watch.start(child.pid)
    let (status, text) = child.wait()
    let took = ContinuousClock.now - started
    let memory = watch.stop()
    guard status == 0 else { throw Failed(words: words, status: status) }
    let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
    return Took(seconds: seconds, memory: memory, text: text.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  /// A command that failed.
  struct Failed: Error, CustomStringConvertible {
    let words: [String]
    let status: Int32
    var description: String { "\(words.prefix(6).joined(separator: " ")) … ended with \(status)" }
  }

  /// The machine, the versions and the server's settings.
  func machine(_ settings: [String: String]) throws -> String {
    let cpu =
      ((try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "").split(separator: "\n")
      .first { $0.hasPrefix("model name") }.map {
        $0.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
      } ?? "unknown processor"
    let version = try sql("postgres", "SHOW server_version").text.split(separator: " ").first ?? ""
    let list = settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    let memory = ProcessInfo.processInfo.physicalMemory >> 30
    let own = try run([program, "--version"]).text
    return """
      \(ProcessInfo.processInfo.processorCount) cores of \(cpu), \(memory) GB
      wazo-call-logs \(own), PostgreSQL \(version): \(list)
      """
  }
}

/// Reads a process's greatest memory while it lives.
private final class MemoryWatch: Sendable {
  private let state = Mutex((peak: 0, isOver: false))

  func start(_ pid: Int32) {
    Thread.detachNewThread { [self] in
      while !state.withLock({ $0.isOver }) {
        if let peak = Self.peak(of: pid) { state.withLock { $0.peak = max($0.peak, peak) } }
        Thread.sleep(forTimeInterval: 0.01)
      }
    }
  }

  func stop() -> Int {
    state.withLock {
      $0.isOver = true
      return $0.peak
    }
  }

  private static func peak(of pid: Int32) -> Int? {
    let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 * 1024 }
  }
}
