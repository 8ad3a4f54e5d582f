import Foundation

/// A program that runs while this one waits. `Process` itself takes some 50 ms, more than what is
/// measured here.
struct Child {
  let pid: pid_t
  private let output: Int32

  /// Starts a program, which it looks up as a shell does, and collects its output.
  init(_ words: [String], environment: [String: String]) throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw Failed(words: words, reason: errno) }
    // Otherwise the program would hold open the end of the pipe from which this one reads.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    var arguments = words.map { strdup($0) } + [nil]
    var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for string in arguments + variables { free(string) } }
    var pid = pid_t()
    let result = posix_spawnp(&pid, words[0], &actions, nil, &arguments, &variables)
    close(ends[1])
    guard result == 0 else {
      close(ends[0])
      throw Failed(words: words, reason: result)
    }
    (self.pid, output) = (pid, ends[0])
  }

  /// Waits for its end.
  /// - Returns: its exit status, or 128 + the signal that ended it, and its output
  func wait() -> (status: Int32, text: String) {
    var (bytes, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
    while true {
      let count = read(output, &buffer, buffer.count)
      if count > 0 { bytes += buffer[..<count] } else if count == 0 || errno != EINTR { break }
    }
    close(output)
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    return (status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F, String(decoding: bytes, as: UTF8.self))
  }

  /// A program that cannot be started.
  struct Failed: Error, CustomStringConvertible {
    let words: [String]
    let reason: Int32
    var description: String { "\(words[0]) cannot be started: \(String(cString: strerror(reason)))" }
  }
}
