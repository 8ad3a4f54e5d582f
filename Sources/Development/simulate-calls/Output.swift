#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file or standard output, for writing bytes.
struct Output {
  /// An error, with its place.
  struct Failure: Error, CustomStringConvertible {
    var target: String
    var code: Int32

    /// Whether the reader of a pipe went away.
    var isClosedPipe: Bool { code == EPIPE }

    var description: String {
      let reason = strerror(code).map { String(cString: $0) } ?? "error \(code)"
      return code == ENOSPC || code == EDQUOT
        ? "cannot write \(target): \(reason); the file is incomplete; make room and run it again"
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

  /// Opens a file and empties it; `-` is standard output.
  init(_ path: String) throws(Failure) {
    if path == "-" {
      self.init(target: "standard output", descriptor: 1)
      return
    }
    let opened = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard opened >= 0 else { throw Failure(target: path, code: errno) }
    self.init(target: path, descriptor: opened)
  }

  /// Creates a file that holds some bytes.
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

  /// Writes all bytes, in as many system calls as needed.
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

  /// Closes the file. Some file systems report a full disk only then.
  func finish() throws(Failure) {
    guard close(descriptor) == 0 else { throw Failure(target: target, code: errno) }
  }
}
