import Foundation
import Testing

@Suite("Tokens on the command line")
struct TokenTests {
  private let folder: Scratch
  private var path: String { folder.path + "/etc/tokens" }
  private let own = "6a1f2c3d-0b1c-4d5e-8f90-123456789abc"
  private let other = "0d5d2c55-7a41-4c1e-9f0a-1b2c3d4e5f60"

  init() throws { folder = try Scratch() }

  private func token(_ arguments: String...) throws -> Outcome {
    try Running(Program.path, ["token"] + arguments + ["--file", path]).finish()
  }

  private var text: String { get throws { try String(contentsOfFile: path, encoding: .utf8) } }

  @Test("create prints a token, alone on standard output, and only its hash is in a file for its owner")
  func create() throws {
    let made = try token("create", "--name", "grafana", "--all-tenants")
    #expect(made.status == 0)
    #expect(made.text.wholeMatch(of: /[A-Za-z0-9_-]{43}\n/) != nil, "\(made.text)")
    #expect(made.errors.contains("only time") && made.errors.contains(path))
    let secret = made.text.dropLast()
    let hash = try Program.bash("printf %s '\(secret)' | sha256sum").text.prefix(64)
    #expect(try text == "grafana sha256:\(hash) all - call-logd.#.read -\n")
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    #expect(!made.errors.contains(secret))

    let all = try [token("list"), token("list", "--format", "json"), token("list", "-D")]
    for outcome in all {
      #expect(outcome.status == 0 && outcome.text.contains("grafana"))
      #expect(
        !outcome.text.contains(secret) && !outcome.text.contains(hash.prefix(8)) && !outcome.errors.contains(hash.prefix(8)))
    }
  }

  @Test("list shows what a token sees, gives and when it ends; JSON holds the same")
  func list() throws {
    let more = ["--tenant", own, "--tenant", other, "--tenant", own, "--user", other.uppercased()]
    let made = try Running(
      Program.path,
      ["token", "create", "--file", path, "--name", "crm", "--acl", "call-logd.cdr.read", "--acl", "!auth.#"] + more
        + ["--expires", "2999-01-31"]
    ).finish()
    #expect(made.status == 0, "\(made.errors)")
    try Data((try text + "old sha256:\(String(repeating: "0a", count: 32)) \(own) - - 2020-01-01T00:00:00Z\n").utf8).write(
      to: URL(fileURLWithPath: path))
    chmod(path, 0o600)

    let lines = try token("list").text.split(separator: "\n")
    #expect(lines.count == 3)
    let words = lines.map { $0.split(separator: /\s\s+/).map(String.init) }
    #expect(words[0] == ["Name", "Tenants", "User", "Accesses", "Expires"])
    #expect(words[1] == ["crm", "\(own),\(other)", other, "call-logd.cdr.read,!auth.#", "2999-02-01T00:00:00Z"])
    #expect(words[2] == ["old", own, "-", "-", "2020-01-01T00:00:00Z (expired)"])

    let tokens = try #require(try token("list", "--format", "json").json()["tokens"] as? [[String: Any]])
    #expect(tokens[0]["tenants"] as? [String] == [own, other] && tokens[0]["user"] as? String == other)
    #expect(tokens[0]["accesses"] as? [String] == ["call-logd.cdr.read", "!auth.#"])
    #expect(tokens.map { $0["expired"] as? Bool } == [false, true])
  }

  @Test(
    "a token ends after hours, days or weeks",
    arguments: [("12h", 12.0), ("90d", 90 * 24), ("2w", 14 * 24)] as [(String, Double)])
  func expires(after: String, hours: Double) throws {
    let before = Date()
    #expect(try token("create", "--name", "a", "--all-tenants", "--expires", after).status == 0)
    let word = try #require(try text.split(separator: " ").last).dropLast()
    let end = try Date(String(word), strategy: .iso8601)
    let least = before.addingTimeInterval(hours * 3600 - 1)
    #expect(least <= end && end <= Date().addingTimeInterval(hours * 3600))
  }

  @Test("revoke takes a token away, and leaves the others and the comments; a name that is not there is 64")
  func revoke() throws {
    for name in ["a", "b"] { #expect(try token("create", "--name", name, "--all-tenants").status == 0) }
    try Data(("# people\n" + (try text)).utf8).write(to: URL(fileURLWithPath: path))
    chmod(path, 0o600)
    expectSilence(try token("revoke", "a"))
    let left = try text.split(separator: "\n")
    #expect(left.count == 2 && left[0] == "# people" && left[1].hasPrefix("b sha256:"))
    expectFailure(try token("revoke", "a"), 64, "no token named a", path, "token list")
    #expect(try token("create", "--name", "a", "--tenant", own).status == 0)
  }

  @Test("a file that is missing is 78 and stays missing; one with a bad line is 78 and names the line, not what stands there")
  func bad() throws {
    for arguments in [["list"], ["revoke", "a"]] {
      let outcome = try Running(Program.path, ["token"] + arguments + ["--file", path]).finish()
      expectFailure(outcome, 78, path, "No such file")
      #expect(!FileManager.default.fileExists(atPath: path))
    }
    _ = folder.file("etc/tokens", "# people\npasted-token\n")
    chmod(path, 0o600)
    for arguments in [["list"], ["revoke", "a"], ["create", "--name", "a", "--all-tenants"]] {
      let outcome = try Running(Program.path, ["token"] + arguments + ["--file", path]).finish()
      expectFailure(outcome, 78, path, "line 2")
      #expect(!outcome.errors.contains("pasted-token"))
    }
    chmod(path, 0o644)
    expectFailure(try token("list"), 78, "chmod 600 \(path)")
  }

  @Test("a token that could not be printed is not in the file")
  func unprinted() throws {
    #expect(try token("create", "--name", "kept", "--all-tenants").status == 0)
    let before = try text
    let outcome = try Program.bash("wazo-call-logs token create --name lost --all-tenants --file '\(path)' > /dev/full")
    expectFailure(outcome, 74)
    #expect(try text == before)
  }

  @Test(
    "a wrong command line is 64 and says what to write",
    arguments: [
      ("", "--all-tenants"), ("--all-tenants --tenant 6a1f2c3d-0b1c-4d5e-8f90-123456789abc", "exclude one another"),
      ("--tenant master", "--tenant takes a UUID"), ("--all-tenants --user alice", "--user takes a UUID"),
      ("--all-tenants --expires tomorrow", "90d"), ("--all-tenants --expires 0d", "past"),
      ("--all-tenants --expires 2020-01-01", "past"), ("--all-tenants --expires 123456d", "90d"),
    ])
  func usage(options: String, part: String) throws {
    let words = options.split(separator: " ").map(String.init)
    expectUsageError(try Running(Program.path, ["token", "create", "--name", "a", "--file", path] + words).finish(), part)
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("a name must be given, be one, and be new; so must an access be one")
  func names() throws {
    expectUsageError(try token("create", "--all-tenants"), "--name")
    expectFailure(try token("create", "--name", "a b", "--all-tenants"), 64, "letters, digits")
    expectFailure(try token("create", "--name", "a", "--all-tenants", "--acl", "a b"), 64, "call-logd.cdr.read")
    #expect(try token("create", "--name", "a", "--all-tenants").status == 0)
    expectFailure(try token("create", "--name", "a", "--all-tenants"), 64, "revoke it first")
  }

  @Test("Without --file the verbs work on the file that the service reads")
  func setting() throws {
    let config = folder.file("config.yml", "tokens_file: \(path)\n")
    for (options, environment) in [(["--config", config], [:]), ([], ["WAZO_CALL_LOGS_CONFIG": config])] {
      let create = ["token", "create", "--name", "n\(options.count)", "--all-tenants"] + options
      #expect(try Running(Program.path, create, environment: environment).finish().status == 0)
      let list = try Running(Program.path, ["token", "list"] + options, environment: environment).finish()
      #expect(list.text.contains("n\(options.count)"), "\(list.errors)")
    }
    #expect(try text.contains("n0 sha256:") && text.contains("n2 sha256:"))
    let wrong = folder.file("wrong.yml", "tokens_file: [1]\n")
    expectFailure(try Running(Program.path, ["token", "list", "--config", wrong]).finish(), 78, "tokens_file")
  }
}
