import CallLogs
import Files
import Foundation

/// The folder of audio files. The program removes and opens no file outside of it, and follows no
/// symbolic link below it.
public final class RecordingsFolder {
  /// The outcome of a removal.
  public enum Outcome: Equatable, Sendable {
    /// The file is removed; it had so many bytes.
    case removed(bytes: Int)
    /// There is no file of that name.
    case missing
    /// The program may not remove it: its path leads elsewhere, or it is not an ordinary file.
    case refused(String)
    /// The file system refused the removal; a later purge tries again.
    case failed(String)
  }

  /// The path as set, for messages.
  public let path: String
  private let parts: [ArraySlice<UInt8>]
  let root: Int32
  /// Open folders with removed files that are not synced yet.
  private var folders: [[ArraySlice<UInt8>]: Int32] = [:]
  private static let mostFolders = 64

  /// Opens the folder. The path itself may contain symbolic links.
  /// - Throws: ``FileError`` (`inputOutput`) where the folder does not exist or cannot be opened.
  public init(_ path: String) throws(FileError) {
    self.path = path
    parts = RecordingsFolder.split(Array(path.utf8))
    guard path.hasPrefix("/"), !parts.isEmpty, !parts.contains(where: { $0.elementsEqual("..".utf8) }) else {
      throw FileError(.inputOutput, "\(path) cannot be the folder of recordings")
    }
    root = Foundation.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard root >= 0 else { throw FileError.system("cannot open the recordings folder \(path)") }
  }

  deinit {
    for descriptor in folders.values { close(descriptor) }
    close(root)
  }

  /// The names in a path, as the operating system reads it.
  private static func split(_ path: [UInt8]) -> [ArraySlice<UInt8>] {
    path.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }
  }

  /// Whether the folder is completely empty. Then it is probably a mount point without its disk.
  public func isEmpty() throws(FileError) -> Bool {
    let again = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard again >= 0, let stream = fdopendir(again) else { throw FileError.system("cannot read the recordings folder \(path)") }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
      }
      if name != ".", name != ".." { return false }
    }
    return true
  }

  /// Removes a file.
  /// - Parameters:
  ///   - file: its absolute path, as bytes
  ///   - onlyLooks: true to report the outcome and leave the file in place
  /// - Throws: ``FileError`` where a folder cannot be synced.
  public func remove(_ file: [UInt8], onlyLooks: Bool = false) throws(FileError) -> Outcome {
    let place: (folder: [ArraySlice<UInt8>], name: String)
    switch inside(file) {
    case .failure(let refusal): return .refused(refusal.reason)
    case .success(let found): place = found
    }
    let folder: Int32
    switch try descriptor(place.folder) {
    case .failure(let end): return end.outcome
    case .success(let opened): folder = opened
    }
    var status = stat()
    guard fstatat(folder, place.name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return RecordingsFolder.outcome(errno) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFLNK: return .refused("it is a symbolic link")
    default: return .refused("it is not an ordinary file")
    }
    if onlyLooks {
      guard faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) == 0 else { return RecordingsFolder.outcome(errno) }
    } else {
      guard unlinkat(folder, place.name, 0) == 0 else { return RecordingsFolder.outcome(errno) }
    }
    return .removed(bytes: Int(status.st_size))
  }

  /// Makes the removals durable.
  /// - Throws: ``FileError`` (`inputOutput`) where a folder cannot be synced.
  public func sync() throws(FileError) {
    for descriptor in [root] + folders.values where fsync(descriptor) != 0 {
      // Some network file systems do not support this.
      guard errno == EINVAL || errno == EROFS || errno == EOPNOTSUPP else {
        throw FileError.system("cannot sync a folder in \(path)")
      }
    }
    for descriptor in folders.values { close(descriptor) }
    folders = [:]
  }

  struct Refusal: Error { let reason: String }
  private struct End: Error { let outcome: Outcome }

  /// Splits a path into the folders below this one and the file's name.
  func inside(_ file: [UInt8]) -> Result<(folder: [ArraySlice<UInt8>], name: String), Refusal> {
    func refused(_ reason: String) -> Result<(folder: [ArraySlice<UInt8>], name: String), Refusal> {
      .failure(Refusal(reason: reason))
    }
    guard !file.contains(0) else { return refused("its path has a NUL") }
    guard file.first == UInt8(ascii: "/") else { return refused("its path is relative") }
    let names = RecordingsFolder.split(file)
    guard !names.contains(where: { $0.elementsEqual("..".utf8) }) else { return refused("its path has ..") }
    guard names.count > parts.count, zip(parts, names).allSatisfy({ $0.elementsEqual($1) }) else {
      return refused("it is outside the recordings folder \(path)")
    }
    guard file.last != UInt8(ascii: "/"), let name = names.last, name.count <= Int(NAME_MAX) else {
      return refused("its path does not name a file")
    }
    guard let text = String(bytes: name, encoding: .utf8) else { return refused("its name is not UTF-8") }
    return .success((Array(names.dropFirst(parts.count).dropLast()), text))
  }

  /// Opens a folder below this one, name by name.
  private func descriptor(_ names: [ArraySlice<UInt8>]) throws(FileError) -> Result<Int32, End> {
    if names.isEmpty { return .success(root) }
    if let known = folders[names] { return .success(known) }
    if folders.count >= RecordingsFolder.mostFolders { try sync() }
    var folder = root
    for name in names {
      let upper = folder
      defer { if upper != root { close(upper) } }
      let bytes = name.map { CChar(bitPattern: $0) } + [0]
      folder = openat(upper, bytes, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
      if folder >= 0 { continue }
      let error = errno
      var status = stat()
      if fstatat(upper, bytes, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT == S_IFLNK {
        return .failure(End(outcome: .refused("\(String(decoding: name, as: UTF8.self)) on the way to it is a symbolic link")))
      }
      return .failure(End(outcome: RecordingsFolder.outcome(error)))
    }
    folders[names] = folder
    return .success(folder)
  }

  private static func outcome(_ error: Int32) -> Outcome {
    switch error {
    case ENOENT, ENOTDIR: .missing
    case EISDIR, ELOOP, ENAMETOOLONG: .refused(String(cString: strerror(error)))
    default: .failed(String(cString: strerror(error)))
    }
  }
}
