import Foundation

/// The content of a private server's folder.
enum ServerFolder {
  /// How many bytes the name of a socket has room for, without the closing zero.
  private static let longestSocketName = 107

  /// The absolute path of a folder that the server may use; creates it if needed. Temporary ones
  /// are in /tmp: a user's own temporary folder may be closed to the server's user, or too long for
  /// a socket.
  static func prepare(_ directory: String?, account: Account) throws(PrivateServerError) -> String {
    let path: String
    if let directory {
      path = URL(fileURLWithPath: directory).standardizedFileURL.path
      do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      } catch {
        throw PrivateServerError("cannot create the folder \(path): \(error)")
      }
    } else {
      var template = Array("/tmp/private-server-XXXXXX".utf8CString)
      guard mkdtemp(&template) != nil else {
        throw PrivateServerError("cannot create a folder in /tmp: \(String(cString: strerror(errno)))")
      }
      path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
    let socket = path + "/.s.PGSQL.5432"
    guard socket.utf8.count <= longestSocketName else {
      throw PrivateServerError(
        "the path \(path) is too long for a socket (\(socket.utf8.count) bytes, at most \(longestSocketName)); use a shorter one")
    }
    guard account.own(path), chmod(path, 0o700) == 0 else {
      throw PrivateServerError("cannot give the folder \(path) to the server's user: \(String(cString: strerror(errno)))")
    }
    return path
  }

  /// Creates the data folder unless it exists. It gets its name last, so that no server ever uses a
  /// half-made one.
  static func initialize(
    _ data: String, programs: ServerPrograms, account: Account, sync: Bool
  ) throws(PrivateServerError) {
    guard !FileManager.default.fileExists(atPath: data + "/PG_VERSION") else { return }
    guard !FileManager.default.fileExists(atPath: data) else {
      throw PrivateServerError("\(data) exists and is not a data folder of PostgreSQL")
    }
    let fresh = data + ".new"
    remove(fresh)
    var arguments = [
      programs.path("initdb"), "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions",
      "--pgdata=\(fresh)",
    ]
    if !sync { arguments.append("--no-sync") }
    do throws(PrivateServerError) {
      try Command.run(account.wrap(arguments), name: "initdb")
    } catch {
      let isClosed = error.description.contains("ermission denied")
      let advice = "; every folder above \(data) must let the server's user through"
      throw PrivateServerError(error.description + (isClosed ? advice : ""))
    }
    guard rename(fresh, data) == 0 else {
      throw PrivateServerError("\(fresh) cannot be renamed: \(String(cString: strerror(errno)))")
    }
  }

  /// The process id of a server that uses a data folder; nil if there is none. Removes the file of
  /// a dead server, even if its number now belongs to another program: PostgreSQL itself would take
  /// that program for a server.
  static func runningServer(of data: String) -> Int32? {
    let file = data + "/postmaster.pid"
    guard let pid = lines(of: file).first.flatMap({ Int32($0) }), pid > 0 else { return nil }
    let program = (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8).trimmed) ?? ""
    if program.hasPrefix("postgres") { return pid }
    unlink(file)
    return nil
  }

  /// The server's state from its file, once the file is that of the given process.
  static func status(of data: String, pid: Int32) -> String? {
    let lines = lines(of: data + "/postmaster.pid")
    guard lines.count >= 8, Int32(lines[0]) == pid else { return nil }
    return lines[7].trimmed
  }

  static func remove(_ path: String) {
    try? FileManager.default.removeItem(atPath: path)
  }

  private static func lines(of file: String) -> [String] {
    let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
    return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }
}
