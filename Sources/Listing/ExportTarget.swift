import Files
import Foundation
import Values

/// The target of an export: a file that gets its name when it is complete, or an open output
/// (standard output, a pipe, a device).
final class ExportTarget {
  /// The reader of a pipe closed it.
  struct ReaderGone: Error {}

  /// Its name in messages.
  let name: String
  /// The number of bytes written so far.
  private(set) var bytesWritten = 0

  /// The open output; -1 for a file.
  private var descriptor: Int32
  /// The file that is being written, and the file that it replaces; nil for an open output.
  private var place: (file: DurableFile, old: stat?)?
  /// Whether a reader at the other end may be slow or stop reading.
  private let isAwaited: Bool
  private let stop: () throws -> Void

  /// Opens the target.
  /// - Parameters:
  ///   - path: nil for standard output. An ordinary file is replaced as a whole at the end, at the
  ///     target of a symbolic link. A pipe or a device is written directly.
  ///   - stop: called while the target waits for a reader; its error ends the waiting
  /// - Throws: ``JobError``; the error of `stop`.
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
      guard status.st_mode & S_IFMT != S_IFDIR else { throw JobError(.usage, "\(path) is a folder; give -o the name of a file") }
      isAwaited = true
      descriptor = -1
      // The program waits for the reader of a pipe here. In the kernel, signals would not end the
      // waiting.
      while true {
        descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor < 0 else { return }
        guard errno == ENXIO, status.st_mode & S_IFMT == S_IFIFO else { throw ExportTarget.failure(path, errno) }
        try stop()
        usleep(50_000)
      }
    }
    if !exists, lstat(path, &status) == 0 {
      throw JobError(.usage, "\(path) is a symbolic link to a missing file; give -o the name of a file")
    }
    isAwaited = false
    let final = exists ? ExportTarget.resolved(path) : path
    let slash = final.lastIndex(of: "/")
    let folder = slash.map { $0 == final.startIndex ? "/" : String(final[..<$0]) } ?? "."
    guard final.last != "/", !final.isEmpty else { throw JobError(.usage, "“\(path)” is not the name of a file") }
    descriptor = -1
    do {
      // Only the owner may read the file, because call logs show who talked to whom.
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

  /// Writes all bytes.
  /// - Throws: ``JobError``; ``ReaderGone`` where the reader has closed the pipe; the error of
  ///   `stop`.
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

  /// Makes the file durable and gives it its name.
  /// - Throws: ``JobError`` where that fails.
  func finish() throws(JobError) {
    guard let place else { return }
    self.place = nil
    // The new file gets the access rights of the old one.
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
