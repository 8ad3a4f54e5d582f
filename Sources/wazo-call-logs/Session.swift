import ArgumentParser
import Foundation
import Logging
import PostgreSQL
import Runs
import RunSetup
import Settings
import Terminal
import Values

/// A running verb: settings, log and interruption. Here errors become messages and exit codes.
struct Session {
  let settings: Settings
  let log: Logger
  let interruption: Interruption

  /// Runs a verb on its own thread, since its calls to libpq block.
  /// - Throws: `ExitCode`, after the message is printed
  static func run(
    _ options: CommonOptions, needsDatabase: Bool = true, more: [(Settings.Key, String?)] = [],
    _ body: @escaping (Session) throws -> Void
  ) async throws {
    let interruption = Interruption()
    Interruption.installSignalHandlers(interruption) { signal in
      // Without a database nothing needs an orderly end, and the program may be waiting for input
      // that never comes.
      if !needsDatabase { _exit(128 + signal) }
    }
    do {
      let settings = try await options.load(needsDatabase: needsDatabase, more: more)
      let log = Console.logger(settings.logLevel.level)
      for warning in settings.unknownKeys { log.warning("\(warning)") }
      for (key, source) in settings.sources.sorted(by: { $0.key < $1.key }) where source != "default" {
        log.debug("\(key): \(source)")
      }
      try await BlockingThread.run("job") { try body(Session(settings: settings, log: log, interruption: interruption)) }
    } catch let error as ExitCode {
      throw error
    } catch {
      let failure = Failure(error, interruption: interruption)
      Console.error(failure.message)
      throw ExitCode(failure.exitReason.rawValue)
    }
  }

  /// The settings of the connections.
  var databaseSettings: Databases.Settings { RunSetup.databases(settings) }

  /// The settings of a run.
  /// - Throws: ``JobError`` (65) if the directory is a file that cannot be used
  func runSettings() throws -> RunContext.Settings { try RunSetup.run(settings, program: Program.name) }

  /// Connects to the databases and prepares a run.
  /// - Parameters:
  ///   - start: how the run treats the checkpoint
  ///   - interprets: whether the run interprets CELs and so needs users and a default tenant
  ///   - changes: whether the run may change anything; with false it leaves even the schema alone
  func context(start: RunContext.Start = .usual, interprets: Bool = true, changes: Bool = true) throws -> RunContext {
    var settings = try runSettings()
    if !interprets {
      settings.directory = .none
      settings.defaultTenant = UUIDValue(high: 0, low: 0)
    }
    return try RunContext(settings, start: start, changes: changes, interruption: interruption, log: log)
  }
}

extension LogLevel {
  /// The same level of the log.
  var level: Logger.Level {
    switch self {
    case .debug: .debug
    case .info: .info
    case .warning: .warning
    case .error: .error
    }
  }
}
