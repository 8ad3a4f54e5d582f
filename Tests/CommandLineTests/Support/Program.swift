import Foundation
import Testing

/// What a program did.
struct Outcome {
  /// The exit code, or 128 and the signal that ended it.
  var status: Int32
  var output: Data
  var errors: String

  var text: String { String(decoding: output, as: UTF8.self) }
  var isSilent: Bool { output.isEmpty && errors.isEmpty }

  /// The whole output as JSON.
  func json(_ location: SourceLocation = #_sourceLocation) throws -> [String: Any] {
    let object = try? JSONSerialization.jsonObject(with: output) as? [String: Any]
    return try #require(object, "no JSON object: \(text)", sourceLocation: location)
  }

  /// The whole output as a JSON array of objects, or each line as an object.
  func objects(_ location: SourceLocation = #_sourceLocation) throws -> [[String: Any]] {
    if text.hasPrefix("[") {
      let array = try? JSONSerialization.jsonObject(with: output) as? [[String: Any]]
      return try #require(array, "no JSON array: \(text)", sourceLocation: location)
    }
    return try text.split(separator: "\n").map { line in
      let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return try #require(object, "no JSON object: \(line)", sourceLocation: location)
    }
  }
}

/// The programs of the package, run as a user runs them. Nothing of the tests' own environment
/// reaches them.
enum Program {
  /// A password that no program may ever show: every outcome is searched for it.
  static let secret = "hunter2+%/geheim"
  static let encodedSecret = "hunter2%2B%25%2Fgeheim"

  /// The folder with the programs: the one of the tests themselves, or that of `SOAK_PROGRAMS`, so
  /// that a soak can run the programs of a release.
  static let folder: String = {
    if let other = ProcessInfo.processInfo.environment["SOAK_PROGRAMS"], !other.isEmpty { return other }
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    // The tests' runner may be the toolchain's, which gets the bundle's path as an argument.
    let paths = [own] + CommandLine.arguments
    let folders = paths.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
    return folders.first { FileManager.default.isExecutableFile(atPath: $0 + "/wazo-call-logs") } ?? folders[0]
  }()

  static let path = folder + "/wazo-call-logs"

  /// What is in every environment: enough to run, and a configuration file that says nothing, in
  /// place of the machine's.
  static let environment = [
    "PATH": folder + ":/usr/local/bin:/usr/bin:/bin", "HOME": Scratch.shared.path, "LC_ALL": "C.UTF-8", "TZ": "UTC",
    "WAZO_CALL_LOGS_CONFIG": Scratch.shared.file("empty.yml", ""),
    "WAZO_CALL_LOGS_CHECKPOINT_DIR": Scratch.shared.path + "/checkpoints",
  ]

  /// Runs `wazo-call-logs` to its end.
  static func run(
    _ arguments: String..., input: Data? = nil, environment: [String: String] = [:], _ location: SourceLocation = #_sourceLocation
  ) throws -> Outcome {
    try Running(path, arguments, input: input, environment: environment).finish(location)
  }

  /// Runs a line of bash, in which `wazo-call-logs` is the program. A line with pipes ends as its
  /// first failure does.
  static func bash(
    _ line: String, environment: [String: String] = [:], _ location: SourceLocation = #_sourceLocation
  ) throws -> Outcome {
    // timeout ends what bash has started, too; killing bash alone would leave it, and the wait for
    // it.
    let arguments = ["-k", "5", "100", "bash", "-o", "pipefail", "-c", line]
    return try Running("/usr/bin/timeout", arguments, environment: environment).finish(location)
  }
}

/// A program at work. Its output goes into files: pipes could fill, or be held open by other
/// programs that start meanwhile.
final class Running {
  private let process = Process()
  private let folder: Scratch

  init(_ path: String, _ arguments: [String], input: Data? = nil, environment: [String: String] = [:]) throws {
    folder = try Scratch()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = Program.environment.merging(environment) { $1 }
    process.standardInput = try FileHandle(
      forReadingFrom: URL(fileURLWithPath: input.map { folder.file("in", $0) } ?? "/dev/null"))
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file("out", "")))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file("err", "")))
    try process.run()
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  var isRunning: Bool { process.isRunning }

  var pid: Int32 { process.processIdentifier }

  /// The most memory it has had resident so far, MiB; nil when it has ended.
  var peakMemory: Double? {
    let status = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Double($0.filter(\.isNumber)) }.map { $0 / 1024 }
  }

  /// What the list of processes shows of it, words separated by blanks; nil when it has ended.
  var commandLine: String? {
    let words = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(process.processIdentifier)/cmdline"))
    return words.map { String(decoding: $0.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self) }
  }

  /// What it has written to standard error so far.
  var errors: String { (try? String(contentsOfFile: folder.path + "/err", encoding: .utf8)) ?? "" }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits for the end; a program that hangs is killed after two minutes, or so many seconds.
  func finish(_ location: SourceLocation = #_sourceLocation, within limit: Double = 120) throws -> Outcome {
    let pid = process.processIdentifier
    let watchdog = DispatchWorkItem { kill(pid, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + limit, execute: watchdog)
    process.waitUntilExit()
    watchdog.cancel()
    let output = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/out"))
    let errors = String(decoding: try Data(contentsOf: URL(fileURLWithPath: folder.path + "/err")), as: UTF8.self)
    for shown in [String(decoding: output, as: UTF8.self), errors] {
      #expect(
        !shown.contains(Program.secret) && !shown.contains(Program.encodedSecret), "a password is shown", sourceLocation: location
      )
    }
    return Outcome(
      status: process.terminationReason == .uncaughtSignal ? 128 + process.terminationStatus : process.terminationStatus,
      output: output, errors: errors)
  }
}

/// A folder for files; removed with the last reference.
final class Scratch: Sendable {
  let path: String

  /// One for the whole run.
  static let shared: Scratch = {
    do { return try Scratch() } catch { return Scratch(path: "/tmp") }
  }()

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("command-line-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  private init(path: String) { self.path = path }

  deinit { if path != "/tmp" { try? FileManager.default.removeItem(atPath: path) } }

  /// Writes a file, with the folders above it, and gives its path.
  func file(_ name: String, _ contents: Data) -> String {
    let file = URL(fileURLWithPath: path + "/" + name)
    try? FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try? contents.write(to: file)
    return file.path
  }

  func file(_ name: String, _ text: String) -> String { file(name, Data(text.utf8)) }
}

/// Expects a failure that one sentence on standard error explains, and nothing on standard output.
func expectFailure(
  _ outcome: Outcome, _ status: Int32, _ parts: String..., location: SourceLocation = #_sourceLocation
) {
  #expect(outcome.status == status, "\(outcome.errors)", sourceLocation: location)
  #expect(outcome.output.isEmpty, sourceLocation: location)
  #expect(
    outcome.errors.hasPrefix("wazo-call-logs: ") && outcome.errors.hasSuffix("\n"), "\(outcome.errors)", sourceLocation: location)
  #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)", sourceLocation: location)
  for part in parts { #expect(outcome.errors.contains(part), "no “\(part)” in: \(outcome.errors)", sourceLocation: location) }
}

/// Expects a usage error: 64, the sentence, and where to read on.
func expectUsageError(_ outcome: Outcome, _ parts: String..., location: SourceLocation = #_sourceLocation) {
  #expect(outcome.status == 64, "\(outcome.errors)", sourceLocation: location)
  #expect(outcome.output.isEmpty, sourceLocation: location)
  for part in parts + ["--help"] {
    #expect(outcome.errors.contains(part), "no “\(part)” in: \(outcome.errors)", sourceLocation: location)
  }
}

/// Expects success without a word, as cron wants it.
func expectSilence(_ outcome: Outcome, _ location: SourceLocation = #_sourceLocation) {
  #expect(outcome.status == 0, sourceLocation: location)
  #expect(outcome.text == "" && outcome.errors == "", sourceLocation: location)
}
