import Foundation
import Testing

/// The parser's own description of a command, as `--experimental-dump-help` prints it.
private struct Described: Decodable {
  struct Argument: Decodable {
    struct Name: Decodable {
      var kind: String
      var name: String
      var text: String { (kind == "long" ? "--" : "-") + name }
    }
    var kind: String
    var names: [Name]?
  }
  var commandName: String
  var arguments: [Argument]?
  var subcommands: [Described]?
}

@Suite("The order of the command line")
struct ArgumentTests {
  @Test("the verb may stand behind any of its options and the option's value")
  func verbBehind() throws {
    struct Description: Decodable { var command: Described }
    let text = try Program.run("--experimental-dump-help").text
    let program = try JSONDecoder().decode(Description.self, from: Data(text.utf8)).command
    let verbs = try #require(program.subcommands).filter { $0.subcommands == nil && $0.commandName != "help" }
    #expect(verbs.count > 10)
    for verb in verbs {
      let help = try Program.run(verb.commandName, "--help").text
      for argument in verb.arguments ?? [] where argument.kind != "positional" {
        for name in argument.names ?? [] where !["help", "version", "h"].contains(name.name) {
          let words = argument.kind == "option" ? [name.text, "value"] : [name.text]
          let found = try Running(Program.path, words + [verb.commandName, "--help"]).finish()
          // What the verb says of a value that it cannot have shows as well that it was found.
          let isFound = found.text == help || found.errors.contains("wazo-call-logs \(verb.commandName) ")
          #expect(isFound, "\(words) \(verb.commandName): \(found.errors)")
        }
      }
    }
  }
}
