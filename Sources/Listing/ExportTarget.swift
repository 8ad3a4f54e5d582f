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

  /// What is open already, or a pipe or device; -1 for a file of ours.
  private var descriptor: Int32
  /// The file that is written, and what it replaces; nil for what is no file of ours.
  private var place: (file: DurableFile, old: stat?)?
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
    descriptor = -1
    do {
      // Made for its owner only: call logs tell who talked to whom.
      let file = try DurableFile(
        String(final[(slash.map(final.index(after:)) ?? final.startIndex)...]),
        temporary: ".call-logs-export.\(UInt64.random(in: 0 ... .max))", in: try Folder.root(folder, creates: false), mode: 0o600,
        isSole: true)
      place = (file, exists ? status : nil)
    } catch {
      throw ExportTarget.failure(path, error)
    }
  }

  deinit {
    if descriptor > 1 { close(descriptor) }
  }

  /// Writes all of it.
  /// - Throws: ``JobError``; ``ReaderGone`` where nobody reads any more; what `stop` throws.
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    defer { bytesWritten += bytes.count }
    if let place {
      do { return try place.file.write(bytes) } catch { throw ExportTarget.failure(name, error) }
    }
    let code =
      isAwaited
      ? try Descriptor.write(bytes, to: descriptor, stop: stop) : Descriptor.write(bytes, to: descriptor)
    if code == EPIPE { throw ReaderGone() }
    guard code == 0 else { throw ExportTarget.failure(name, code) }
  }

  /// Makes it durable and gives it its name.
  /// - Throws: ``JobError``
  func finish() throws(JobError) {
    guard let place else { return }
    self.place = nil
    // Who could read what was there can read what comes in its place; nobody else can.
    if let old = place.old { place.file.take(rightsOf: old) }
    do { try place.file.finish(.replacing) } catch { throw ExportTarget.failure(name, error) }
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

  private static func failure(_ path: String, _ error: FileError) -> JobError {
    JobError(
      error.isRefusal ? .permission : .inputOutput,
      error.code == 0 ? error.description : "cannot write \(path): \(String(cString: strerror(error.code)))")
  }

  private static func failure(_ path: String, _ code: Int32) -> JobError {
    JobError(
      code == EACCES || code == EPERM ? .permission : .inputOutput, "cannot write \(path): \(String(cString: strerror(code)))")
  }
}
