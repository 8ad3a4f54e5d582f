import Configuration

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Finds and reads configuration files.
enum SettingsFiles {
  /// Reads `conf.d/*.yml` beside `file`, and `file` itself. Earlier elements of the result override
  /// later ones.
  ///
  /// - Parameter namedBy: the option or variable that names `file`; nil for a default file, which
  ///   may be missing
  static func hierarchy(_ file: String, namedBy: String? = nil) async throws(SettingsError) -> [FileProvider<SettingsFile>] {
    var providers = [try await read(file, namedBy: namedBy)]
    for path in try paths(in: folder(beside: file)) { providers.insert(try await read(path, namedBy: nil), at: 0) }
    return providers
  }

  /// The folder `conf.d` beside a file.
  static func folder(beside file: String) -> String {
    (file.lastIndex(of: "/").map { String(file[...$0]) } ?? "") + "conf.d"
  }

  /// The content of a file as a tree: a map, or nil for an empty file or a missing one.
  ///
  /// - Parameter namedBy: as for ``hierarchy(_:namedBy:)``
  static func tree(_ file: String, namedBy: String? = nil) async throws(SettingsError) -> SettingsNode? {
    let snapshot = try await read(file, namedBy: namedBy).snapshot()
    guard let tree = (snapshot as? SettingsFile)?.tree, !tree.isNull else { return nil }
    return tree
  }

  private static func read(_ path: String, namedBy: String?) async throws(SettingsError) -> FileProvider<SettingsFile> {
    do {
      return try await FileProvider(
        parsingOptions: SettingsFile.ParsingOptions(path: path), filePath: .init(path), allowMissing: namedBy == nil)
    } catch let error as SettingsError {
      throw error
    } catch {
      // The library's error has a hidden type. It wraps Foundation's error, whose text is not meant
      // for people.
      let failure = failureToOpen(path)
      if let namedBy, failure == ENOENT { throw .missingFile(path: path, namedBy: namedBy) }
      throw .unreadableFile(path: path, reason: reason(failure) ?? "\(error)")
    }
  }

  /// The paths of the `.yml` files in a folder, sorted by the bytes of their names; empty if the
  /// folder is missing.
  static func paths(in folder: String) throws(SettingsError) -> [String] {
    let failure = failureToOpen(folder, flags: O_RDONLY | O_DIRECTORY)
    if failure == ENOENT { return [] }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { $0.hasSuffix(".yml") && !$0.hasPrefix(".") }
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        .map { folder.hasSuffix("/") ? "\(folder)\($0)" : "\(folder)/\($0)" }
    } catch {
      throw .unreadableFile(path: folder, reason: reason(failure) ?? "\(error)")
    }
  }

  /// `errno` of an attempt to open `path`. `EISDIR` for a folder in place of a file; 0 if the path
  /// can be read.
  private static func failureToOpen(_ path: String, flags: Int32 = O_RDONLY) -> Int32 {
    let descriptor = open(path, flags | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return errno }
    return flags & O_DIRECTORY == 0 && status.st_mode & S_IFMT == S_IFDIR ? EISDIR : 0
  }

  private static func reason(_ failure: Int32) -> String? {
    switch failure {
    case 0: nil
    case EACCES: "permission denied for user id \(geteuid())"
    case EISDIR: "it is a folder"
    case ENOTDIR: "it is not a folder"
    default: String(cString: strerror(failure))
    }
  }

  /// Whether there is something of that path, readable or not.
  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 || errno == EACCES }

  /// Whether `path` is a folder.
  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether the system's time zone database has `name`. Without such a database: whether `name`
  /// has the form of one.
  static func isTimeZone(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    let isName = parts.allSatisfy { part in
      part.first?.isLetter == true && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_+-".contains($0)) }
    }
    guard isName else { return false }
    let database = "/usr/share/zoneinfo"
    guard isFolder(database) else { return true }
    guard let file = fopen("\(database)/\(name)", "re") else { return false }
    defer { fclose(file) }
    var magic = [UInt8](repeating: 0, count: 4)
    return fread(&magic, 1, 4, file) == 4 && magic == Array("TZif".utf8)
  }
}
