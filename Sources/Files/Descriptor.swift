import Foundation

/// Complete writes to open file descriptors.
package enum Descriptor {
  /// Writes all bytes, in as many system calls as needed.
  /// - Returns: 0, or the number of the system's error (errno).
  package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
    var rest = bytes
    while !rest.isEmpty {
      let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        return errno
      }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    }
    return 0
  }

  /// Writes all bytes to a pipe or terminal whose reader may be slow or may never read. Calls
  /// `stop` at least every 0.2 seconds.
  /// - Returns: 0, or the number of the system's error (errno).
  /// - Throws: every error of `stop`.
  package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, stop: () throws -> Void) throws -> Int32 {
    var rest = bytes
    while !rest.isEmpty {
      try stop()
      var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      let ready = poll(&state, 1, 200)
      if ready == 0 || ready < 0 && errno == EINTR { continue }
      // A pipe that is ready accepts at least this much without blocking (PIPE_BUF; POSIX, write).
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(4096))
      let count = Foundation.write(descriptor, piece.baseAddress, piece.count)
      if count < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        return errno
      }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    }
    return 0
  }
}
