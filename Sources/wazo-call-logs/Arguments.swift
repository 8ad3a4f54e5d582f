import Settings

/// The order of the command line.
enum Arguments {
  /// The names of the verbs, as the parser knows them.
  static let verbs = Main.configuration.subcommands.map { $0._commandName }
  /// Options that take a value from the next word.
  static let valued: Set<String> = Set([
    "-c", "--cel-count", "-d", "--days", "--days_to_keep", "--format", "--config", "--from-id", "--to-id", "--from", "--to",
    "--log-level", "--conversation",
    "--checkpoint-dir", "--before", "--tenant", "--sleep", "--run-time", "--file",
    "-o", "--output", "--tag", "--call-direction", "--call-status", "--number", "--user-uuid",
    "--name", "--user", "--acl", "--expires",
  ]).union(Settings.Key.allCases.filter { $0 != .linkCELs }.map(\.optionName))

  /// Moves the verb to the front: Wazo's program accepts it anywhere (`-c 5 generate`), the
  /// argument parser only as the first word.
  static func verbFirst(_ arguments: [String]) -> [String] {
    var index = 0
    while index < arguments.count {
      let word = arguments[index]
      if word == "--" { break }
      if word.hasPrefix("-"), word != "-" {
        index += valued.contains(word) ? 2 : 1
        continue
      }
      guard index > 0, verbs.contains(word) else { break }
      var rest = arguments
      rest.remove(at: index)
      return [word] + rest
    }
    return arguments
  }
}
