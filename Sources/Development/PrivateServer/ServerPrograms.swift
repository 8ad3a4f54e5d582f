import Foundation

/// The folder of PostgreSQL's server programs.
struct ServerPrograms: Sendable {
  let directory: String

  func path(_ program: String) -> String { directory + "/" + program }

  /// The programs of the version that created a data folder; the newest if there is none yet. Looks
  /// in PATH, in Debian's folders (newest first), and in the folder that pg_config names.
  /// - Throws: ``PrivateServerError`` if there are none
  static func find(forData data: String?) throws(PrivateServerError) -> ServerPrograms {
    // A folder of PATH may hold links to some of the programs only. Follow them to their folder.
    let candidates = candidates.compactMap { folder -> String? in
      let initdb = URL(fileURLWithPath: folder + "/initdb").resolvingSymlinksInPath()
      let real = initdb.deletingLastPathComponent().path
      let isComplete = ["initdb", "postgres", "psql"].allSatisfy { FileManager.default.isExecutableFile(atPath: "\(real)/\($0)") }
      return isComplete ? real : nil
    }
    guard let first = candidates.first else {
      throw PrivateServerError(
        "PostgreSQL's server programs (initdb, postgres) are not in PATH, in /usr/lib/postgresql, or in the folder that pg_config names; "
          + "install them: apt-get install postgresql")
    }
    guard let data, let version = try? String(contentsOfFile: data + "/PG_VERSION", encoding: .utf8).trimmed else {
      return ServerPrograms(directory: first)
    }
    for candidate in candidates where majorVersion(of: candidate) == version { return ServerPrograms(directory: candidate) }
    throw PrivateServerError(
      "\(data) was made by PostgreSQL \(version), which is not installed; use another folder or: apt-get install postgresql-\(version)"
    )
  }

  private static var candidates: [String] {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    var folders = path.split(separator: ":").map(String.init)
    let debian = "/usr/lib/postgresql"
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: debian)) ?? []
    folders += versions.sorted { (Double($0) ?? 0) > (Double($1) ?? 0) }.map { "\(debian)/\($0)/bin" }
    if let program = folders.map({ $0 + "/pg_config" }).first(where: FileManager.default.isExecutableFile),
      let folder = try? Command.run([program, "--bindir"])
    {
      folders.append(folder.trimmed)
    }
    return folders
  }

  /// `postgres (PostgreSQL) 15.18 (Debian …)` gives 15.
  private static func majorVersion(of directory: String) -> String? {
    guard let text = try? Command.run([directory + "/postgres", "--version"]) else { return nil }
    return text.split(separator: " ").dropFirst(2).first?.prefix { $0.isNumber }.description
  }
}

extension String {
  var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
