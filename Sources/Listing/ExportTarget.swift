import Files
import Foundation
import Values

/// Where an export goes: a file that appears under its name when it is whole, or whatever is open already (standard output, a pipe, a device).
final class ExportTarget {
  /// The reader of a pipe has seen enough.
  struct ReaderGone: Error {}

  /// What it is called in messages.
  let name: String
  /// Bytes written so far.
  private(set) var bytesWritten = 0

  private var descriptor: Int32
  /// Where the file is while it is written, where it goes, and what it replaces there; nil for what is no file of ours.
  private var place: (temporary: String, final: String, folder: String, old: stat?)?
  /// Whether somebody at the other end may take it slowly or never.
  private let isAwaited: Bool
  private let stop: () throws -> Void

  /// Opens it.
  /// - Parameters:
  ///   - path: nil for standard output. An ordinary file is replaced as a whole at the end, where a symbolic link leads; a pipe or a device is written to as it is.
  ///   - stop: looked at while a reader is waited for
  /// - Throws: ``JobError``; what `stop` throws
  init(_ path: String?, stop: @escaping () throws -> Void = {}) throws {
    self.stop = stop
    guard let path else {
      (name, descriptor, isAwaited) = ("standard output", 1, !ExportTarget.isFile(1))
      return
    }
    name = path
    var status = stat()
    let exists = stat(path, &status) == 0
    if exists, status.st_mode & S_IFMT != S_IFREG {
      guard status.st_mode & S_IFMT != S_IFDIR else { throw JobError(.usage, "\(path) is a folder; -o takes the name of a file") }
      isAwaited = true
      descriptor = -1
      // A pipe that nobody reads yet is waited for here and not in the kernel, where no signal ends it.
      while true {
        descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor < 0 else { return }
        guard errno == ENXIO, status.st_mode & S_IFMT == S_IFIFO else { throw ExportTarget.failure(path, errno) }
        try stop()
        usleep(50_000)
      }
    }
    if !exists, lstat(path, &status) == 0 {
      throw JobError(.usage, "\(path) is a symbolic link that leads to nothing; -o takes the name of a file")
    }
    isAwaited = false
    let final = exists ? ExportTarget.resolved(path) : path
    let slash = final.lastIndex(of: "/")
    let folder = slash.map { $0 == final.startIndex ? "/" : String(final[..<$0]) } ?? "."
    guard final.last != "/", !final.isEmpty else { throw JobError(.usage, "“\(path)” is no name of a file") }
    // Made for its owner only: call logs tell who talked to whom.
    var template = Array("\(folder)/.call-logs-export.XXXXXX".utf8CString)
    descriptor = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map { mkstemp($0) } ?? -1
    }
    guard descriptor >= 0 else { throw ExportTarget.failure(path, errno) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    place = (
      String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self), final, folder,
      exists ? status : nil
    )
  }

  deinit {
    if let place {
      // Given up on the way.
      close(descriptor)
      unlink(place.temporary)
    } else if descriptor > 1 {
      close(descriptor)
    }
  }

  /// Writes all of it.
  /// - Throws: ``JobError``; ``ReaderGone`` where nobody reads any more; what `stop` throws.
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    let code =
      isAwaited
      ? try Descriptor.write(bytes, to: descriptor, stop: stop) : Descriptor.write(bytes, to: descriptor)
    if code == EPIPE, place == nil { throw ReaderGone() }
    guard code == 0 else { throw ExportTarget.failure(name, code) }
    bytesWritten += bytes.count
  }

  /// Makes it durable and gives it its name.
  /// - Throws: ``JobError``; then what had the name before has it still, unless only its folder could not be synced, which the message tells.
  func finish() throws(JobError) {
    guard let place else { return }
    // Who could read what was there can read what comes in its place; nobody else can.
    if let old = place.old, fchown(descriptor, old.st_uid, old.st_gid) == 0 { fchmod(descriptor, old.st_mode & 0o777) }
    guard fsync(descriptor) == 0 else { throw ExportTarget.failure(name, errno) }
    let closed = close(descriptor)
    let code = errno
    descriptor = -1
    guard closed == 0 else { throw ExportTarget.failure(name, code) }
    guard rename(place.temporary, place.final) == 0 else { throw ExportTarget.failure(name, errno) }
    self.place = nil
    let folder = open(place.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw ExportTarget.unsynced(name, errno) }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw ExportTarget.unsynced(name, errno) }
  }

  private static func isFile(_ descriptor: Int32) -> Bool {
    var status = stat()
    return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  private static func unsynced(_ path: String, _ code: Int32) -> JobError {
    JobError(
      .inputOutput,
      "\(path) is written and may be lost if the machine fails now: its folder cannot be synced: \(String(cString: strerror(code)))"
    )
  }

  private static func failure(_ path: String, _ code: Int32) -> JobError {
    JobError(
      code == EACCES || code == EPERM ? .permission : .inputOutput, "cannot write \(path): \(String(cString: strerror(code)))")
  }
}
