import Foundation
import Values

/// wazo-call-logd on the demo's database. It listens on this machine only, and its token, log and
/// recordings are in a temporary folder.
final class DemoService {
  /// The folder of recordings: `recordings_dir`.
  let recordings: String
  /// The file that the service writes its log to.
  let logFile: String
  /// A token that reads everything.
  private(set) var token = ""
  /// The beginning of all addresses, such as `http://127.0.0.1:9298/1.0`.
  private(set) var url = ""
  /// The address of the search page.
  var page: String { String(url.dropLast("1.0".count)) }
  /// The address of metrics and health.
  private(set) var management = ""
  private let folder: String
  private let process = Process()

  /// Makes the folder.
  /// - Throws: ``JobError``
  init() throws(JobError) {
    // mkdtemp puts a random name in place of the last six letters, and makes the folder private.
    let wanted = FileManager.default.temporaryDirectory.appendingPathComponent("demo-call-logs-XXXXXX").path
    var template = Array(wanted.utf8CString)
    guard mkdtemp(&template) != nil else {
      throw JobError(.inputOutput, "cannot create a temporary folder: \(String(cString: strerror(errno)))")
    }
    let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    folder = URL(fileURLWithPath: path).standardizedFileURL.path
    (recordings, logFile) = (folder + "/recordings", folder + "/log")
  }

  /// Makes a token with one program and starts the other. Returns when the service listens.
  /// - Throws: ``JobError``
  func start(_ program: String, tokens maker: String, database uri: String, tenant: String) throws {
    try Data().write(to: URL(fileURLWithPath: folder + "/empty.yml"))
    let settings = """
      db_uri: '\(uri)'
      default_tenant: \(tenant)
      follow: true
      checkpoint_dir: \(folder)/checkpoints
      authentication: tokens
      tokens_file: \(folder)/tokens
      recordings_dir: \(recordings)
      exports:
        directory: \(folder)/exports
      rest_api:
        listen: 127.0.0.1
        port: \(DemoService.port(9298))
      service:
        management_listen: 127.0.0.1
        management_port: \(DemoService.port(9299))

      """
    try Data(settings.utf8).write(to: URL(fileURLWithPath: folder + "/config.yml"))
    token = try makeToken(maker)
    try Data().write(to: URL(fileURLWithPath: logFile))
    // An empty file in place of this machine's /etc/wazo-call-logd.
    var command = [program, "-c", folder + "/empty.yml"]
    // The kernel ends the service with this program, also when its terminal is closed.
    let setpriv = "/usr/bin/setpriv"
    if FileManager.default.isExecutableFile(atPath: setpriv) { command = [setpriv, "--pdeathsig", "TERM", "--"] + command }
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.environment = environment
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: logFile))
    do { try process.run() } catch {
      throw JobError(.configuration, "cannot run \(program): \(error.localizedDescription)")
    }
    while true {
      let log = try String(contentsOfFile: logFile, encoding: .utf8)
      if let api = log.firstMatch(of: /listening at (\S+)\n/), let other = log.firstMatch(of: /metrics and health are at (\S+)\n/)
      {
        (url, management) = (String(api.1), "http://" + other.1)
        return
      }
      try check()
      Thread.sleep(forTimeInterval: 0.05)
    }
  }

  /// Does nothing while the service runs.
  /// - Throws: ``JobError``: it has ended; the end of its log says why
  func check() throws(JobError) {
    guard !process.isRunning else { return }
    let log = (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? ""
    throw JobError(.fault, "wazo-call-logd has ended:\n" + log.split(separator: "\n").suffix(5).joined(separator: "\n"))
  }

  /// Writes audio for a recording below the folder of recordings.
  func record(_ path: String, number: Int) throws {
    let file = URL(fileURLWithPath: path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    // The notes of a scale, so that recordings differ.
    try Tone.file(hertz: 220 * pow(2, Double(number % 25) / 12)).write(to: file)
  }

  /// Ends the service, and removes the folder.
  func stop() {
    if process.isRunning {
      process.terminate()
      process.waitUntilExit()
    }
    try? FileManager.default.removeItem(atPath: folder)
  }

  private func makeToken(_ program: String) throws -> String {
    let (process, output, errors) = (Process(), Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = ["token", "create", "--name", "demo", "--all-tenants", "--file", folder + "/tokens"]
    process.environment = environment
    process.standardOutput = output
    // Where the token is stored, and that it is shown once, is of no use here.
    process.standardError = errors
    do { try process.run() } catch {
      throw JobError(.configuration, "cannot run \(program): \(error.localizedDescription)")
    }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let report = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      throw JobError(.fault, "wazo-call-logs token create ended with \(process.terminationStatus): \(report)")
    }
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// This program's environment, with the demo's settings in place of the user's.
  private var environment: [String: String] {
    let others = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("WAZO_CALL_LOGS_") && !$0.key.hasPrefix("PG") }
    return others.merging(["WAZO_CALL_LOGS_CONFIG": folder + "/config.yml"]) { $1 }
  }

  /// That port of this machine, or 0 for any free one if another program uses it.
  private static func port(_ wanted: UInt16) -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    var reuses: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuses, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = wanted.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let isFree = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    return isFree ? wanted : 0
  }
}
