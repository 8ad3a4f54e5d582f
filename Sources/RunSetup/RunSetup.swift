import CallLogs
import Files
import PostgreSQL
import Runs
import Settings
import Values

/// Turns the settings of the program into those of runs, for each program that has runs.
public enum RunSetup {
  /// The settings of the connections.
  public static func databases(_ settings: Settings) -> Databases.Settings {
    var databases = Databases.Settings(logs: settings.dbURI?.connectionString, cels: settings.celDBURI?.connectionString)
    databases.connectTimeout = max(1, Int(settings.connectTimeout.components.seconds))
    databases.lockTimeout = max(1, settings.lockTimeout.milliseconds)
    return databases
  }

  /// The settings of a run.
  /// - Parameter program: name and version of the program
  /// - Throws: ``JobError`` (65) if the directory is a file that cannot be used
  public static func run(_ settings: Settings, program: String) throws -> RunContext.Settings {
    var run = RunContext.Settings(databases: databases(settings))
    run.celTable = settings.celTable
    run.celTimeZone = settings.celTimeZone
    run.defaultTenant = settings.defaultTenant.flatMap { UUIDValue($0) }
    run.chunkSize = settings.chunkSize
    run.linksCELs = settings.linkCELs
    run.history = settings.history
    run.workers = settings.workers
    run.closeAfter = settings.closeAfter.map { Double($0.milliseconds) / 1000 }
    run.finalAfter = Double(settings.finalAfter.milliseconds) / 1000
    run.retryFor = Double(settings.retryFor.milliseconds) / 1000
    run.checkpointDirectory = settings.checkpointDirectory
    run.program = program
    switch settings.directory {
    case nil: run.directory = .automatic
    case .wazo?: run.directory = .wazo
    case .disabled?: run.directory = .none
    case .file(let path)?: run.directory = .contents(try contents(path))
    }
    return run
  }

  /// Reads a directory of users and lines from a JSON file.
  /// - Throws: ``JobError`` (65) if the file is not a directory
  public static func contents(_ path: String) throws -> DirectoryContents {
    var bytes: [UInt8] = []
    try ByteSource(path: path).forEachPiece { bytes.append(contentsOf: $0) }
    do {
      return try DirectoryContents(json: bytes)
    } catch {
      throw JobError(.badInput, "the directory \(path) cannot be used: \(error)")
    }
  }
}

extension Duration {
  /// Whole milliseconds.
  package var milliseconds: Int { Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000) }
}
