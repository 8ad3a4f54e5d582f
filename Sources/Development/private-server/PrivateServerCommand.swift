import ArgumentParser
import Foundation
import PrivateServer

/// A development tool: runs a command with a PostgreSQL of its own, named by libpq's environment variables, and stops the server when the command ends.
@main
struct PrivateServerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "private-server",
    abstract: "Run a command with a PostgreSQL of its own.",
    discussion: """
      The server listens on a unix socket only; PGHOST, PGPORT and PGUSER lead to it. It is stopped when the command ends, and its data removed \
      unless --directory keeps them.

      Example:
        private-server psql -c 'SELECT version()' postgres
      """)

  @Option(help: ArgumentHelp("Keep the data in this folder.", valueName: "folder"))
  var directory: String?
  @Argument(parsing: .captureForPassthrough, help: "The command and its arguments.")
  var command: [String]

  func run() throws {
    // What is passed through to the command takes in the one option that is everybody's.
    if let word = command.first, ["-h", "--help"].contains(word) { throw CleanExit.helpRequest(self) }
    guard let program = command.first else { throw ValidationError("name a command to run") }
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
