import ArgumentParser
import Foundation
import PrivateServer

/// A development tool: runs a command with a private PostgreSQL server, which libpq's environment
/// variables name. The server stops when the command ends.
@main
struct PrivateServerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "private-server",
    abstract: "Run a command with a private PostgreSQL server.",
    discussion: """
      The server listens on a unix socket only. The command finds it through PGHOST, PGPORT and \
      PGUSER. When the command ends, the server stops and its data is removed; --directory keeps \
      the data.

      Examples:
        private-server psql -c 'SELECT version()' postgres
        private-server --directory /tmp/pg bash
      """)

  @Option(help: ArgumentHelp("Keep the data in this folder.", valueName: "folder"))
  var directory: String?
  @Argument(parsing: .captureForPassthrough, help: "The command and its arguments.")
  var command: [String]

  func run() throws {
    // The arguments of the command would swallow this option.
    if let word = command.first, ["-h", "--help"].contains(word) { throw CleanExit.helpRequest(self) }
    guard let program = command.first else { throw ValidationError("name a command to run, such as psql postgres") }
    let server = try PrivateServer(directory: directory)
    defer { server.stop() }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + command.dropFirst()
    process.environment = ProcessInfo.processInfo.environment.merging(server.environment) { $1 }
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw ExitCode(process.terminationStatus) }
  }
}
