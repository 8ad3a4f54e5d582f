#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file, or standard output, that bytes are written to.
struct Output {
  /// What went wrong, where.
  struct Failure: Error, CustomStringConvertible {
    var target: String
    var code: Int32

    /// The reader of a pipe has gone, having seen what it wanted.
    var isClosedPipe: Bool { code == EPIPE }

    var description: String {
      let reason = strerror(code).map { String(cString: $0) } ?? "error \(code)"
      return code == ENOSPC || code == EDQUOT
        ? "cannot write \(target): \(reason); what is there is incomplete, make room and run again"
        : "cannot write \(target): \(reason)"
    }
  }

  static let standardError = Output(target: "standard error", descriptor: 2)

  private let target: String
  private let descriptor: Int32

  private init(target: String, descriptor: Int32) {
    self.target = target
    self.descriptor = descriptor
  }

  /// Opens a file, replacing what is in it; `-` is standard output.
  init(_ path: String) throws(Failure) {
    if path == "-" {
      self.init(target: "standard output", descriptor: 1)
      return
    }
    let opened = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard opened >= 0 else { throw Failure(target: path, code: errno) }
    self.init(target: path, descriptor: opened)
  }

  /// Makes a file that holds some bytes.
  static func make(_ bytes: [UInt8], at path: String) throws(Failure) {
    let output = try Output(path)
    try output.put(bytes)
    try output.finish()
  }

  func put(_ bytes: [UInt8]) throws(Failure) {
    let result = bytes.withUnsafeBytes { buffer in
      Result { () throws(Failure) in try put(buffer) }
    }
    try result.get()
  }

  /// Writes all bytes, however many calls of the system that takes.
  func put(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    var left = bytes[...]
    while !left.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: left)
      let count = write(descriptor, part.baseAddress, part.count)
      if count >= 0 {
        left = left.dropFirst(count)
      } else if errno != EINTR {
        throw Failure(target: target, code: errno)
      }
    }
  }

  /// Closes the file; some file systems only say then that it does not fit.
  func finish() throws(Failure) {
    guard close(descriptor) == 0 else { throw Failure(target: target, code: errno) }
  }
}
