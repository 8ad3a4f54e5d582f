import Foundation

/// Writing to what is open.
package enum Descriptor {
  /// Writes all of it, however many calls that takes.
  /// - Returns: 0, or the number of the error (errno) that ended it.
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

  /// Writes all of it to somebody who may take it slowly or never (a pipe, a terminal), looking at `stop` meanwhile.
  /// - Returns: 0, or the number of the error (errno) that ended it.
  /// - Throws: what `stop` throws.
  package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, stop: () throws -> Void) throws -> Int32 {
    var rest = bytes
    while !rest.isEmpty {
      try stop()
      var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      let ready = poll(&state, 1, 200)
      if ready == 0 || ready < 0 && errno == EINTR { continue }
      // A pipe that is ready takes at least so much without waiting.
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
