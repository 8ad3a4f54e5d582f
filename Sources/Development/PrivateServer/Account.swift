import Foundation

/// The user that the server runs as.
struct Account: Sendable {
  /// nil for the user that runs this program.
  let user: (id: uid_t, group: gid_t)?
  private let setpriv: String?

  /// The account for a server. PostgreSQL refuses to run as root, so root's servers run as
  /// `postgres`, the user of Debian's package.
  /// - Throws: ``PrivateServerError`` if that user or setpriv is missing
  static func forServer() throws(PrivateServerError) -> Account {
    let folders = ["/usr/bin", "/bin", "/usr/local/bin"]
    let setpriv = folders.map { $0 + "/setpriv" }.first(where: FileManager.default.isExecutableFile)
    guard geteuid() == 0 else { return Account(user: nil, setpriv: setpriv) }
    guard let entry = getpwnam("postgres") else {
      throw PrivateServerError(
        "PostgreSQL does not run as root, and there is no user postgres to run it. Run this as another user, or: "
          + "apt-get install postgresql")
    }
    guard let setpriv else {
      throw PrivateServerError(
        "PostgreSQL does not run as root, and setpriv, which changes to the user postgres, is missing. Install it: apt-get install util-linux"
      )
    }
    return Account(user: (entry.pointee.pw_uid, entry.pointee.pw_gid), setpriv: setpriv)
  }

  /// The command line that runs another one as this user.
  ///
  /// - Parameter endsWithParent: whether the kernel interrupts the program when the thread that
  ///   starts it is gone. setpriv becomes the program, so the process id stays.
  func wrap(_ arguments: [String], endsWithParent: Bool = false) -> [String] {
    guard let setpriv, user != nil || endsWithParent else { return arguments }
    var command = [setpriv]
    if let user {
      // PostgreSQL's programs return to the current folder, which that user may be unable to enter.
      command = ["/usr/bin/env", "--chdir=/", setpriv]
      command += ["--reuid", String(user.id), "--regid", String(user.group), "--init-groups"]
    }
    if endsWithParent { command += ["--pdeathsig", "INT"] }
    return command + ["--"] + arguments
  }

  /// Gives a file or folder to this user.
  func own(_ path: String) -> Bool {
    guard let user else { return true }
    return chown(path, user.id, user.group) == 0
  }
}
