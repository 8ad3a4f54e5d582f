import Glibc
import Values

/// The user that the service runs as.
enum Privileges {
  /// Becomes a user, with the user's groups, for good.
  /// - Throws: ``JobError``: there is no such user (78), or the service may not become it (77)
  static func become(_ name: String) throws(JobError) {
    guard let entry = getpwnam(name) else {
      throw JobError(.configuration, "there is no user \(name), which the service shall run as")
    }
    let (user, group) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
    if geteuid() == user, getegid() == group { return }
    guard geteuid() == 0 else {
      throw JobError(.permission, "only root can start the service as user \(name); start it as that user, or without -u")
    }
    // The groups first: without root's rights nobody can set them.
    guard initgroups(name, group) == 0, setgid(group) == 0, setuid(user) == 0, setuid(0) != 0 else {
      throw JobError(.permission, "the service cannot become user \(name): \(String(cString: strerror(errno)))")
    }
  }
}
