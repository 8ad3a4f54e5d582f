import Foundation
import PrivateServer
import Synchronization
import Testing

/// A database with call logs that the program made, and a folder to export to.
struct Exported {
  let database: TestDatabase
  let scratch = try? Scratch()

  var folder: String { scratch?.path ?? "/nowhere" }

  init() throws { database = try TestDatabase(try Exported.template()) }

  private static let made = Mutex<TestDatabase?>(nil)

  /// A name for the database that all of them are copies of.
  private static func template() throws -> Template {
    let name = try made.withLock { made in
      if let made { return made.name }
      let database = try TestDatabase(.wazo)
      expectSilence(try database.run("backfill", "--no-link-cels"))
      made = database
      return database.name
    }
    return Template { name }
  }

  func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
    try database.start(["export"] + arguments, environment: environment).finish()
  }

  /// A line of bash in which the program finds the database.
  func bash(_ line: String) throws -> Outcome {
    try Program.bash("cd '\(folder)' && \(line)", environment: ["WAZO_CALL_LOGS_DB_URI": database.uri])
  }

  /// What is in the folder.
  func files() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }

  /// How many call logs there are that are not blocked, and for which that holds.
  func count(_ condition: String = "true") throws -> Int {
    try database.count("call_logd_call_log l WHERE blocked IS NOT TRUE AND \(condition)")
  }
}
