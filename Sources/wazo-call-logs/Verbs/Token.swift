import ArgumentParser
import Authentication
import Foundation
import Runs
import Settings
import Terminal
import Values

struct Token: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make, list or revoke tokens for the REST API, where no Wazo knows them.",
    discussion: """
      wazo-call-logd takes the tokens of Wazo. On a plain Asterisk nobody makes any, and it takes \
      those of a file of tokens. The file holds only their hashes. The service reads it again when \
      it has changed.

      Works on the file alone, without a database.

      Examples:
        wazo-call-logs token create --name grafana --all-tenants
        wazo-call-logs token list
        wazo-call-logs token revoke grafana
      """,
    subcommands: [Create.self, List.self, Revoke.self])

  struct Create: AsyncParsableCommand {
    /// What a token may do that was given no accesses: read everything but the configuration.
    static let defaultAccesses = ["call-logd.#.read"]

    static let configuration = CommandConfiguration(
      abstract: "Make a token and print it.",
      discussion: """
        Prints the token, and nothing else, on standard output. It cannot be shown again: the file \
        has only its hash. Programs send it in the header X-Auth-Token.

        A token sees the call logs of one tenant (--tenant), of several (repeat it; the first is the \
        token's own) or of all (--all-tenants). A token for all counts as one of the master tenant.

        An access is words with dots between, as in Wazo: * stands for anything within a word, # for \
        anything, and an access that begins with ! takes away. Quote them, or the shell reads them. \
        Without --acl a token reads: call-logd.#.read.

          call-logd.cdr.read              list call logs
          call-logd.cdr.#.read            see one call log, hear its recordings
          call-logd.users.me.#.read       the same for the token's own user alone
          call-logd.#                     all of these, also to delete and to export
          call_logd.config.#              the configuration (with an underscore)

        The addresses below /users/me need a token of a user (--user).

        The file is for its owner alone. Let the user of the service own it.

        Examples:
          wazo-call-logs token create --name grafana --all-tenants --expires 90d
          wazo-call-logs token create --name crm --acl call-logd.cdr.read \\
              --tenant 6a1f2c3d-0b1c-4d5e-8f90-123456789abc
          wazo-call-logs token create --name alice --acl 'call-logd.users.me.#.read' \\
              --tenant 6a1f2c3d-0b1c-4d5e-8f90-123456789abc \\
              --user 0d5d2c55-7a41-4c1e-9f0a-1b2c3d4e5f60
        """)

    @Option(help: ArgumentHelp("What the token is called: letters, digits, dots, hyphens, underscores.", valueName: "name"))
    var name: String
    @Option(help: ArgumentHelp("A tenant whose call logs it sees; repeat it for several.", valueName: "uuid"))
    var tenant: [String] = []
    @Flag(help: "It sees the call logs of every tenant.")
    var allTenants = false
    @Option(help: ArgumentHelp("The user whose token it is (default: none, it is a program's).", valueName: "uuid"))
    var user: String?
    @Option(
      help: ArgumentHelp("An access that it gives; repeat it for several (default: call-logd.#.read).", valueName: "access"))
    var acl: [String] = []
    @Option(
      help: ArgumentHelp(
        "When it ends: after 12h, 90d or 52w, or with the day 2027-01-31 (default: never).", valueName: "when"))
    var expires: String?
    @OptionGroup var place: TokensPlace
    @OptionGroup var common: CommonOptions

    func validate() throws {
      _ = try tenants()
      _ = try userID()
      _ = try expiry()
    }

    private func tenants() throws -> TokenEntry.Tenants {
      guard !(allTenants && !tenant.isEmpty) else {
        throw ValidationError("--all-tenants and --tenant exclude one another: a token sees all tenants, or those that are named")
      }
      let uuids = try tenant.map { text in
        guard let uuid = UUIDValue(text) else { throw ValidationError("--tenant takes a UUID, not \(text)") }
        return uuid
      }
      if allTenants { return .all }
      guard let own = uuids.first else {
        throw ValidationError(
          "whose call logs may the token see? Name them with --tenant UUID (the tenant of a plain Asterisk is its default_tenant), or give --all-tenants"
        )
      }
      var others: [UUIDValue] = []
      for uuid in uuids where uuid != own && !others.contains(uuid) { others.append(uuid) }
      return .some(own: own, others: others)
    }

    private func userID() throws -> UUIDValue? {
      guard let user else { return nil }
      guard let uuid = UUIDValue(user) else { throw ValidationError("--user takes a UUID, not \(user)") }
      return uuid
    }

    private func expiry() throws -> Timestamp? {
      guard let expires else { return nil }
      let now = Token.now()
      let end: Timestamp
      if let found = expires.wholeMatch(of: #/([0-9]{1,5})([hdw])/#), let count = Int64(found.1) {
        let hours = count * (found.2 == "h" ? 1 : found.2 == "d" ? 24 : 168)
        end = (now / 1_000_000 + hours * 3600) * 1_000_000
      } else {
        do {
          // The file has whole seconds.
          end = try DateReading.microseconds(expires, as: .upper) / 1_000_000 * 1_000_000
        } catch {
          throw ValidationError("--expires takes 12h, 90d, 52w or a date such as 2027-01-31: \(error)")
        }
      }
      guard end > now else { throw ValidationError("--expires \(expires) is past: the token would end at once") }
      return end
    }

    func run() async throws {
      let (tenants, user, expiry) = (try tenants(), try userID(), try expiry())
      let accesses = acl.isEmpty ? Create.defaultAccesses : acl
      try await Token.run(place, common) { file in
        let token = try file.create(name: name, tenants: tenants, user: user, accesses: accesses, expiry: expiry)
        do {
          try Console.result(token)
        } catch {
          // Nobody has it, and nobody could get it.
          _ = try? file.revoke(name)
          throw error
        }
        Console.note("This is the only time that the token is shown. \(file.path) has its hash.")
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the tokens: what they see, what they may do, and when they end.",
      discussion: """
        The tokens themselves cannot be shown: the file has only their hashes. The first of several \
        tenants is the token's own. Changes nothing.

        Examples:
          wazo-call-logs token list
          wazo-call-logs token list --format json | jq -r '.tokens[] | select(.expired) | .name'
        """)

    @Option(help: "How the result is printed: text or json.")
    var format = OutputFormat.text
    @OptionGroup var place: TokensPlace
    @OptionGroup var common: CommonOptions

    func run() async throws {
      try await Token.run(place, common) { file in
        let entries = try file.entries()
        switch format {
        case .json: try Console.result(List.json(entries))
        case .text: try Console.result(List.table(entries).lines(limit: 120).joined(separator: "\n"))
        }
      }
    }

    private static func table(_ entries: [TokenEntry]) -> TextTable {
      var table = TextTable(["Name", "Tenants", "User", "Accesses", "Expires"])
      for entry in entries {
        let end = entry.expiry.map { time($0) + (entry.isExpired(at: Token.now()) ? " (expired)" : "") }
        table.add([
          entry.name, tenants(entry)?.joined(separator: ",") ?? "all", entry.user?.description ?? "-",
          entry.accesses.isEmpty ? "-" : entry.accesses.joined(separator: ","), end ?? "never",
        ])
      }
      return table
    }

    private static func json(_ entries: [TokenEntry]) -> String {
      var json = JSONWriter()
      json.open("{")
      json.key("tokens")
      json.open("[")
      for entry in entries {
        json.open("{")
        json.string("name", entry.name)
        if let tenants = tenants(entry) { list("tenants", tenants, &json) } else { json.string("tenants", "all") }
        json.string("user", entry.user?.description)
        list("accesses", entry.accesses, &json)
        json.string("expires", entry.expiry.map(time))
        json.flag("expired", entry.isExpired(at: Token.now()))
        json.close("}")
      }
      json.close("]")
      json.close("}")
      return String(decoding: json.out, as: UTF8.self)
    }

    private static func list(_ key: Text, _ texts: [String], _ json: inout JSONWriter) {
      json.key(key)
      json.open("[")
      for var text in texts { text.withUTF8 { json.element(Text(UnsafeRawBufferPointer($0))) } }
      json.close("]")
    }

    /// The token's tenants; nil for all.
    private static func tenants(_ entry: TokenEntry) -> [String]? {
      switch entry.tenants {
      case .all: nil
      case .some(let own, let others): ([own] + others).map(\.description)
      }
    }

    private static func time(_ time: Timestamp) -> String {
      var bytes: [UInt8] = []
      TimestampText.appendWallClock(time, isShort: true, to: &bytes)
      return String(decoding: bytes, as: UTF8.self) + "Z"
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take a token out of the file.",
      discussion: """
        The service knows it no longer from the next request on. Comments of the file stay.

        Examples:
          wazo-call-logs token revoke grafana
        """)

    @Argument(help: ArgumentHelp("What the token is called; `token list` shows the names.", valueName: "name"))
    var name: String
    @OptionGroup var place: TokensPlace
    @OptionGroup var common: CommonOptions

    func run() async throws {
      try await Token.run(place, common) { file in
        // A file that is missing must not come about by this.
        guard try file.entries().contains(where: { $0.name == name }), try file.revoke(name) else {
          throw JobError(
            .usage, "there is no token named \(name) in \(file.path); `wazo-call-logs token list` shows the names")
        }
      }
    }
  }

  /// Runs a verb on the file of tokens.
  fileprivate static func run(
    _ place: TokensPlace, _ common: CommonOptions, _ body: @escaping @Sendable (TokensFile) throws -> Void
  ) async throws {
    let file: TokensFile
    do {
      file = try await place.tokens(common)
    } catch {
      let failure = Failure(error)
      Console.error(failure.message)
      throw ExitCode(failure.exitReason.rawValue)
    }
    try await Session.run(common, needsDatabase: false) { _ in try body(file) }
  }

  fileprivate static func now() -> Timestamp { Timestamp(secondsSince1970: Date().timeIntervalSince1970) }
}

/// Where the file of tokens is.
struct TokensPlace: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The file of tokens (default: the service's setting tokens_file, else /etc/wazo-call-logs/tokens).", valueName: "file"))
  var file: String?

  func validate() throws {
    if file?.isEmpty == true { throw ValidationError("--file takes the name of a file") }
  }

  /// The file that the service reads, unless another one is named.
  /// - Throws: ``JobError`` (78) for wrong settings of the service
  func tokens(_ common: CommonOptions) async throws -> TokensFile {
    if let file { return TokensFile(file) }
    var environment = ProcessInfo.processInfo.environment
    if let config = common.config { environment[Settings.configFileVariable] = config }
    do {
      return TokensFile(try await ServiceSettings.load(environment: environment, needsDatabase: false).tokensFile)
    } catch {
      throw JobError(.configuration, "\(error)")
    }
  }
}
