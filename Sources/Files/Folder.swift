import Foundation

/// An open folder of an archive. Everything below the archive's own folder is reached through the folder above it and without following symbolic links, so that no name leads elsewhere.
public final class Folder {
  /// Its path, for messages.
  public let path: String
  package let descriptor: Int32

  private init(path: String, descriptor: Int32) { (self.path, self.descriptor) = (path, descriptor) }

  deinit { close(descriptor) }

  /// Opens the archive's own folder, which the administrator may have put behind a symbolic link.
  /// - Parameter creates: whether it is made where it is missing
  /// - Throws: ``FileError`` (inputOutput)
  public static func root(_ path: String, creates: Bool) throws(FileError) -> Folder {
    var opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if opened < 0, errno == ENOENT, creates {
      do {
        try FileManager.default.createDirectory(
          atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o750])
      } catch {
        throw FileError(.inputOutput, "cannot make the folder \(path): \(error.localizedDescription)")
      }
      DurableStep.made.note(path)
      opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      syncParents(path)
    }
    guard opened >= 0 else { throw FileError.system("cannot open the folder \(path)") }
    return Folder(path: path, descriptor: opened)
  }

  /// Makes the names durable by which a new folder is reached; above it there may be some that cannot be opened, and are older.
  private static func syncParents(_ path: String) {
    var url = URL(fileURLWithPath: path).deletingLastPathComponent()
    while true {
      let parent = open(url.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard parent >= 0 else { return }
      _ = DurableStep.sync(parent, url.path)
      close(parent)
      if url.path == "/" { return }
      url = url.deletingLastPathComponent()
    }
  }

  /// Whether both are one folder, by whatever path.
  public func isSame(as other: Folder) throws(FileError) -> Bool {
    var (one, two) = (stat(), stat())
    guard fstat(descriptor, &one) == 0, fstat(other.descriptor, &two) == 0 else {
      throw FileError.system("cannot look at \(path)")
    }
    return one.st_dev == two.st_dev && one.st_ino == two.st_ino
  }

  /// What came of an attempt to have a folder to oneself.
  public enum Lock: Sendable {
    /// Other processes that ask are kept out.
    case held
    /// Another process has it.
    case busy
    /// The file system knows no locks of folders, as some network shares.
    case unknown
  }

  /// Keeps other processes out that do the same, until this folder is closed: with the last reference, or the end of the process.
  /// - Parameter lock: the system's call, for tests another one
  public func lock(_ lock: (Int32, Int32) -> Int32 = { flock($0, $1) }) throws(FileError) -> Lock {
    while lock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      switch errno {
      case EINTR: continue
      case EWOULDBLOCK: return .busy
      case EBADF, ENOLCK, EINVAL, ENOSYS, EOPNOTSUPP: return .unknown
      default: throw FileError.system("cannot lock the folder \(path)")
      }
    }
    return .held
  }

  /// Opens the folder `names` below; nil where it does not exist.
  /// - Throws: ``FileError`` where it is no folder or a symbolic link.
  public func folder(_ names: [String], creates: Bool = false) throws(FileError) -> Folder? {
    var folder = self
    for name in names {
      try Folder.check(name)
      let path = "\(folder.path)/\(name)"
      var opened = openat(folder.descriptor, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
      if opened < 0, errno == ENOENT {
        guard creates else { return nil }
        guard mkdirat(folder.descriptor, name, 0o750) == 0 || errno == EEXIST else {
          throw FileError.system("cannot make the folder \(path)")
        }
        DurableStep.made.note(path)
        try folder.sync()
        opened = openat(folder.descriptor, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
      }
      guard opened >= 0 else {
        if errno == ELOOP || errno == ENOTDIR {
          throw FileError(.damaged, "\(path) is a symbolic link or no folder; archives are not followed out of their folder")
        }
        throw FileError.system("cannot open the folder \(path)")
      }
      folder = Folder(path: path, descriptor: opened)
    }
    return folder
  }

  /// The names in it, in the order of their bytes.
  public func names() throws(FileError) -> [String] {
    let again = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard again >= 0, let stream = fdopendir(again) else { throw FileError.system("cannot read the folder \(path)") }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw FileError.system("cannot read the folder \(path)") }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Whether it has something of that name, whatever it is.
  public func has(_ name: String) throws(FileError) -> Bool {
    try Folder.check(name)
    var status = stat()
    if fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return true }
    guard errno == ENOENT else { throw FileError.system("cannot look at \(path)/\(name)") }
    return false
  }

  /// Opens an ordinary file for reading; nil where there is none of that name.
  /// - Throws: ``FileError`` where it is a symbolic link or anything else than a file.
  package func openFile(_ name: String) throws(FileError) -> Int32? {
    try Folder.check(name)
    let file = openat(descriptor, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      if errno == ELOOP { throw FileError(.damaged, "\(path)/\(name) is a symbolic link, which archives do not follow") }
      throw FileError.system("cannot open \(path)/\(name)")
    }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(file)
      throw FileError(.damaged, "\(path)/\(name) is no ordinary file")
    }
    return file
  }

  /// The bytes of a small file; nil where there is none of that name.
  /// - Parameter limit: the most bytes that it may have
  public func read(_ name: String, limit: Int = 4 << 20) throws(FileError) -> [UInt8]? {
    guard let file = try openFile(name) else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Foundation.read(file, &piece, piece.count)
      if count == 0 { return bytes }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw FileError.system("cannot read \(path)/\(name)") }
      bytes += piece[..<count]
      guard bytes.count <= limit else { throw FileError(.damaged, "\(path)/\(name) is far too long for what it is") }
    }
  }

  /// Removes a file; one that is not there is as good as removed.
  /// - Returns: whether there was one.
  @discardableResult
  public func remove(_ name: String) throws(FileError) -> Bool {
    try Folder.check(name)
    if unlinkat(descriptor, name, 0) == 0 { return true }
    guard errno == ENOENT else { throw FileError.system("cannot remove \(path)/\(name)") }
    return false
  }

  /// Gives a file its final name, unless there is something of that name.
  package func publish(_ temporary: String, as name: String) throws(FileError) {
    // A hard link first: unlike rename(2) it never replaces what is there.
    if linkat(descriptor, temporary, descriptor, name, 0) == 0 {
      try remove(temporary)
    } else if errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK {
      // No hard links here (exFAT, some network shares).
      guard try !has(name) else { throw exists(name) }
      guard renameat(descriptor, temporary, descriptor, name) == 0 else { throw FileError.system("cannot name \(path)/\(name)") }
    } else {
      throw errno == EEXIST ? exists(name) : FileError.system("cannot name \(path)/\(name)")
    }
    DurableStep.named.note("\(path)/\(name)")
    try sync()
  }

  /// Gives a file its final name, in place of what has that name.
  package func replace(_ temporary: String, as name: String) throws(FileError) {
    guard renameat(descriptor, temporary, descriptor, name) == 0 else {
      let error = FileError.system("cannot write \(path)/\(name)")
      try remove(temporary)
      throw error
    }
    DurableStep.named.note("\(path)/\(name)")
    try sync()
  }

  private func exists(_ name: String) -> FileError {
    FileError(.inputOutput, "\(path)/\(name) exists already and is not replaced")
  }

  /// Makes durable which names it has.
  public func sync() throws(FileError) {
    guard DurableStep.sync(descriptor, path) else { throw FileError.system("cannot sync the folder \(path)") }
  }

  private static func check(_ name: String) throws(FileError) {
    guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(0x2F), !name.utf8.contains(0) else {
      throw FileError(.damaged, "\"\(name)\" is no name of a file in an archive")
    }
  }
}
