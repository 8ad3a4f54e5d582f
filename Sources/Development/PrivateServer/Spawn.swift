import Foundation

/// Starts programs.
enum Spawn {
  /// Starts a program with the signals that a shell would give it, in its own process group, so
  /// that Ctrl-C on the terminal reaches only this program.
  static func start(
    _ arguments: [String], input: Int32, output: Int32, errors: Int32
  ) throws(PrivateServerError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (from, to) in [(input, 0), (output, 1), (errors, 2)] {
      posix_spawn_file_actions_adddup2(&actions, from, Int32(to))
    }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var reset = sigset_t()
    sigemptyset(&reset)
    for signal in [SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGPIPE, SIGCHLD] { sigaddset(&reset, signal) }
    posix_spawnattr_setsigdefault(&attributes, &reset)
    posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
    posix_spawnattr_setflags(&attributes, Int16(flags))

    var argv = arguments.map { strdup($0) } + [nil]
    var envp = environment.map { strdup($0) } + [nil]
    defer { for string in argv + envp { free(string) } }
    var pid = pid_t()
    let result = posix_spawn(&pid, arguments[0], &actions, &attributes, &argv, &envp)
    guard result == 0 else {
      throw PrivateServerError("cannot start \(arguments[0]): \(String(cString: strerror(result)))")
    }
    return pid
  }

  /// Waits for a program to end. Returns its status as a shell does: 128 + signal if it was killed.
  static func wait(_ pid: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) == -1 {
      if errno != EINTR { return -1 }
    }
    return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
  }

  /// This program's environment without the variables that redirect PostgreSQL's programs, and with
  /// messages in English.
  private static var environment: [String] {
    var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PG") }
    variables["LC_ALL"] = "C.UTF-8"
    return variables.map { "\($0.key)=\($0.value)" }
  }
}

/// Runs a program to its end.
enum Command {
  /// Returns the output of a program, given its input.
  ///
  /// - Throws: ``PrivateServerError`` with its output on standard error, if its status is not 0
  @discardableResult
  static func run(
    _ arguments: [String], name: String? = nil, input: String = ""
  ) throws(PrivateServerError) -> String {
    // Files instead of pipes: a pipe that nobody empties in time stops the program.
    guard let given = tmpfile(), let output = tmpfile(), let errors = tmpfile() else {
      throw PrivateServerError("cannot create a temporary file: \(String(cString: strerror(errno)))")
    }
    defer { for file in [given, output, errors] { fclose(file) } }
    fputs(input, given)
    rewind(given)
    let pid = try Spawn.start(arguments, input: fileno(given), output: fileno(output), errors: fileno(errors))
    let status = Spawn.wait(pid)
    guard status == 0 else {
      throw PrivateServerError("\(name ?? arguments[0]) failed with status \(status): \(read(errors).trimmed)")
    }
    return read(output)
  }

  private static func read(_ file: UnsafeMutablePointer<FILE>) -> String {
    rewind(file)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return String(decoding: bytes, as: UTF8.self)
  }
}
