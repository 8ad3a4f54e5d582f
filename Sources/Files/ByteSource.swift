import Foundation
import Values

/// A file or standard input, read in pieces of up to 1 MB.
public struct ByteSource: ~Copyable {
  private let descriptor: Int32
  private let owned: Bool
  /// The name that messages use: the path, or `standard input`.
  public let name: String

  /// Opens a file; `-` stands for standard input.
  /// - Throws: ``JobError`` if the file cannot be opened.
  public init(path: String) throws(JobError) {
    if path == "-" {
      (descriptor, owned, name) = (0, false, "standard input")
      return
    }
    let opened = open(path, O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else {
      let code = errno
      throw JobError(code == EACCES ? .permission : .badInput, "cannot open \(path): \(String(cString: strerror(code)))")
    }
    (descriptor, owned, name) = (opened, true, path)
  }

  deinit {
    if owned { close(descriptor) }
  }

  /// Calls `body` with each piece until the end of the input.
  /// - Throws: ``JobError`` if reading fails, and every error of `body`.
  public func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = read(descriptor, buffer.baseAddress, buffer.count)
      if count == 0 { return }
      if count < 0 {
        if errno == EINTR { continue }
        throw JobError(.inputOutput, "cannot read \(name): \(String(cString: strerror(errno)))")
      }
      try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}

/// Buffered standard output. Every byte is written, or an error is thrown.
public struct StandardOutput: ~Copyable {
  private var pending: [UInt8] = []

  /// An empty buffer.
  public init() {}

  /// Appends bytes to the buffer, and writes the buffer once it holds 64 KB.
  /// - Throws: ``JobError`` if writing fails.
  public mutating func append(_ body: (inout [UInt8]) -> Void) throws(JobError) {
    body(&pending)
    if pending.count >= 1 << 16 { try flush() }
  }

  /// Writes the buffered bytes.
  /// - Throws: ``JobError`` if writing fails.
  public mutating func flush() throws(JobError) {
    let code = pending.withUnsafeBytes { Descriptor.write($0, to: 1) }
    guard code == 0 else {
      throw JobError(.inputOutput, "cannot write to standard output: \(String(cString: strerror(code)))")
    }
    pending.removeAll(keepingCapacity: true)
  }
}
