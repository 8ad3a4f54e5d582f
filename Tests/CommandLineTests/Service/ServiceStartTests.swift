import Foundation
import Testing

@Suite("The service's start")
struct ServiceStartTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  /// The program's end, if it does not start.
  private func refusal(
    _ uri: String?, _ arguments: String..., environment: [String: String] = [:], _ location: SourceLocation = #_sourceLocation
  ) throws -> Outcome {
    let running = try RunningService.run(uri, arguments, folder: folder, environment: environment)
    try wait("for the end or for a listening service", location) {
      !running.isRunning || running.errors.contains("listening at ")
    }
    running.send(SIGTERM)
    return try running.finish(location)
  }

  @Test("Wazo's configuration is enough: the service says where it listens, where the call logs are, and who is asked")
  func wazo() throws {
    let database = try TestDatabase(.bare)
    let file = folder.file(
      "config.yml",
      """
      # As Wazo's package installs it.
      debug: false
      user: null
      db_uri: '\(database.uri(user: "postgres", password: "hunter2%2B%25%2Fgeheim"))'
      cel_db_uri: '\(database.uri)'
      uuid: 5a5a5a5a-0000-4000-8000-000000000000
      rest_api:
        listen: 127.0.0.1
        port: 0
        certificate:
        private_key:
        cors:
          enabled: true
          allow_headers: [Content-Type, X-Auth-Token, Wazo-Tenant]
      auth:
        host: 127.0.0.1
        port: 1
        prefix: null
        https: false
        username: call-logd-service
        password: '\(Program.secret)'
      bus: {username: guest, password: '\(Program.secret)'}
      exports: {directory: '\(folder.path)/exports', service_id: a, service_key: '\(Program.secret)'}
      enabled_plugins: {cdr: true, status: true}

      """)
    let variables = ["WAZO_CALL_LOGS_REST_API_PORT": ""]
    let service = try RunningService(
      "", ["-c", file, "--db-upgrade-on-startup", "-d"], folder: folder, environment: variables)
    #expect(service.url.wholeMatch(of: /http:\/\/127\.0\.0\.1:\d+\/1\.0/) != nil)
    #expect(service.log.contains("call logs are in ") && service.log.contains(database.name))
    #expect(service.log.contains("wazo-auth at 127.0.0.1:1 says who may ask"))
    #expect(service.log.firstMatch(of: /metrics and health are at 127\.0\.0\.1:\d+\n/) != nil)
    #expect(try service.ask("/api/api.yml").status == 200)
    // Nobody listens at port 1, so nobody gets in.
    let asked = try service.ask("/cdr", token: "some-token")
    #expect(asked.status == 503 && String(decoding: asked.body, as: UTF8.self).contains("authentication-server-unreachable"))
    // Secrets in the log fail the test (Running.finish).
    try service.stop()
  }

  @Test("missing tables are 78, and the message has two ways to make them; either works")
  func tables() throws {
    let database = try TestDatabase(.bare)
    let outcome = try refusal(database.uri)
    expectRefusal(outcome, 78, database.name, "`wazo-call-logs migrate`", "--db-upgrade-on-startup")
    #expect(!FileManager.default.fileExists(atPath: RunningService.tokens(in: folder)))
    expectSilence(try database.run("migrate"))
    try RunningService(database.uri, folder: folder).stop()
    let other = try TestDatabase(.bare)
    try RunningService(other.uri, ["--db-upgrade-on-startup"], folder: folder).stop()
    try RunningService(other.uri, folder: folder).stop()
  }

  @Test("without authentication the service starts on loopback alone")
  func unauthenticated() throws {
    let database = try TestDatabase(.bare)
    let variables = ["WAZO_CALL_LOGS_AUTHENTICATION": "none"]
    expectRefusal(
      try refusal(database.uri, "--listen", "0.0.0.0", environment: variables), 78, "authentication", "127.0.0.1")
    let service = try RunningService(database.uri, ["--db-upgrade-on-startup"], folder: folder, environment: variables)
    #expect(try service.ask("/cdr").status == 200)
    #expect(try service.stop().errors.contains("warning: nobody is asked for a token"))
  }

  @Test("a port in use, a foreign address and an unknown host are named with the setting that helps")
  func addresses() throws {
    let database = try TestDatabase(.bare)
    let first = try RunningService(database.uri, ["--db-upgrade-on-startup"], folder: folder)
    let port = try #require(first.url.firstMatch(of: /127\.0\.0\.1:(\d+)/)).1
    expectRefusal(
      try refusal(database.uri, "--port", String(port)), 75, "the API cannot listen at 127.0.0.1:\(port)",
      "another program uses the port", "rest_api.port")
    expectRefusal(
      try refusal(database.uri, environment: ["WAZO_CALL_LOGS_SERVICE_MANAGEMENT_PORT": String(port)]), 75,
      "metrics cannot listen at 127.0.0.1:\(port)", "service.management_port")
    // TEST-NET-1 is nobody's (RFC 5737), and .invalid is no host (RFC 2606).
    expectRefusal(
      try refusal(database.uri, "--listen", "192.0.2.1"), 78, "192.0.2.1:0", "this machine does not have the address",
      "rest_api.listen")
    expectRefusal(try refusal(database.uri, "--listen", "nowhere.invalid"), 78, "nowhere.invalid:0", "no such host")
    try first.stop()
  }

  @Test("an unknown option is 64, and a level or a port that is none is explained")
  func commandLine() throws {
    let outcome = try refusal(nil, "--nonsense")
    #expect(outcome.status == 64 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("--nonsense") && outcome.errors.contains("--help"))
    expectRefusal(try refusal("postgresql:///x", "-l", "loud"), 78, "log_level", "loud", "debug, info, warning, error")
    expectRefusal(try refusal("postgresql:///x", "--port", "70000"), 78, "rest_api.port", "70000", "65535")
  }

  @Test(
    "-u makes root that user, with its groups, and is 78 for a user that is not there", .enabled(if: geteuid() == 0, "needs root")
  )
  func user() throws {
    let database = try TestDatabase(.bare)
    // The server's own user can use its socket.
    let service = try RunningService(
      database.uri, ["-u", "postgres", "--db-upgrade-on-startup"], folder: folder,
      environment: ["WAZO_CALL_LOGS_AUTHENTICATION": "none"])
    #expect(try service.ask("/cdr").status == 200)
    let user = try #require(getpwnam("postgres")).pointee
    for thread in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(service.pid)/task") {
      // A thread may have ended since.
      guard let status = try? String(contentsOfFile: "/proc/\(service.pid)/task/\(thread)/status", encoding: .utf8) else {
        continue
      }
      let ids = try ["Uid", "Gid"].map { name in
        try #require(status.split(separator: "\n").first { $0.hasPrefix(name + ":") }).split(separator: "\t").dropFirst()
      }
      #expect(Set(ids[0]) == ["\(user.pw_uid)"] && Set(ids[1]) == ["\(user.pw_gid)"])
      let groups = try #require(status.split(separator: "\n").first { $0.hasPrefix("Groups:") })
      #expect(!groups.dropFirst(7).split { " \t".contains($0) }.contains("0"))
    }
    try service.stop()
    expectRefusal(try refusal(database.uri, "-u", "nobody-of-that-name"), 78, "no user nobody-of-that-name")
  }

  @Test("--help is as the snapshot has it, and fits a terminal of 80 columns; --version is a number")
  func help() throws {
    let outcome = try Running(RunningService.path, ["--help"]).finish()
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    try HelpTests.expectSnapshot(outcome, "wazo-call-logd")
    for line in outcome.text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    #expect(try Running(RunningService.path, ["--version"]).finish().text.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
  }

  @Test("systemd learns when the service is ready, that it is alive, and that it ends")
  func systemd() throws {
    let database = try TestDatabase(.bare)
    let socket = try NotifySocket()
    let service = try RunningService(
      database.uri, ["--db-upgrade-on-startup"], folder: folder,
      environment: ["NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "200000"])
    try wait("for READY=1") { socket.messages.contains("READY=1") }
    let signs = socket.messages.count { $0 == "WATCHDOG=1" }
    try wait("for signs of life") { socket.messages.count { $0 == "WATCHDOG=1" } >= signs + 3 }
    try service.stop()
    try wait("for STOPPING=1") { socket.messages.contains("STOPPING=1") }
    #expect(socket.messages.count { $0 == "READY=1" } == 1)
  }
}
