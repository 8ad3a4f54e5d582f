import Foundation
import TestSupport
import Testing

@testable import Settings

@Suite("Which source wins")
struct PrecedenceTests {
  /// From the weakest to the strongest; each gives chunk_size another value.
  private static let levels = ["config.yml", "conf.d/10-a.yml", "conf.d/9-b.yml", "environment", "command line"]

  @Test("every source overrides all before it", arguments: 0...levels.count)
  func order(present: Int) async throws {
    let root = try Root()
    var overrides: [String: String] = [:]
    var environment = anyDatabase
    for (index, level) in Self.levels.prefix(present).enumerated() {
      switch level {
      case "command line": overrides["chunk_size"] = "\(index + 1)"
      case "environment": environment["WAZO_CALL_LOGS_CHUNK_SIZE"] = "\(index + 1)"
      default: try root.write("chunk_size: \(index + 1)\n", to: "etc/wazo-call-logs/\(level)")
      }
    }
    let settings = try await root.load(overrides, environment: environment)
    #expect(settings.chunkSize == (present == 0 ? 20_000 : present))
    let source = try #require(settings.sources["chunk_size"])
    let expected = [
      "default", "config.yml, line 1", "10-a.yml, line 1", "9-b.yml, line 1", "WAZO_CALL_LOGS_CHUNK_SIZE", "--chunk-size",
    ]
    #expect(source.hasSuffix(expected[present]))
  }

  @Test("for any mixture of sources, each key on its own comes from the strongest that has it", arguments: 0..<20)
  func mixture(round: Int) async throws {
    var generator = Seeded()
    let keys = ["chunk_size", "history", "cel_table", "log_level", "retry_for"]
    let root = try Root()
    var overrides: [String: String] = [:]
    var environment = anyDatabase
    var strongest: [String: Int] = [:]
    for (index, level) in Self.levels.enumerated() {
      var lines: [String] = []
      for key in keys.shuffled(using: &generator) where Bool.random(using: &generator) {
        strongest[key] = index
        let text =
          switch key {
          case "cel_table": "cel_\(index)"
          case "log_level": LogLevel.allCases[index % 4].rawValue
          default: "\(index + 1)"
          }
        switch level {
        case "command line": overrides[key] = text
        case "environment": environment["WAZO_CALL_LOGS_" + key.uppercased()] = text
        default: lines.append("\(key): \(text)")
        }
      }
      if !lines.isEmpty { try root.write(lines.joined(separator: "\n"), to: "etc/wazo-call-logs/\(level)") }
    }
    let settings = try await root.load(overrides, environment: environment)
    #expect(settings.chunkSize == strongest["chunk_size"].map { $0 + 1 } ?? 20_000, "\(generator)")
    #expect(settings.history == strongest["history"].map { $0 + 1 } ?? 20_000, "\(generator)")
    #expect(settings.celTable == strongest["cel_table"].map { "cel_\($0)" } ?? "cel", "\(generator)")
    #expect(settings.logLevel == strongest["log_level"].map { LogLevel.allCases[$0 % 4] } ?? .warning, "\(generator)")
    #expect(settings.retryFor == strongest["retry_for"].map { .seconds($0 + 1) } ?? .seconds(60), "\(generator)")
    for key in keys where strongest[key] == nil { #expect(settings.sources[key] == "default") }
  }

  @Test("only .yml files of conf.d count, and no hidden ones")
  func folder() async throws {
    let root = try Root([
      ownFile: "history: 1", "\(ownFolder)/a.yml.dpkg-old": "history: 2", "\(ownFolder)/.b.yml": "history: 3",
      "\(ownFolder)/README": "history: 4",
    ])
    #expect(try await root.load(environment: anyDatabase).history == 1)
  }

  @Test("null, an empty variable and an empty file leave the value to the next source")
  func notSet() async throws {
    let root = try Root([
      ownFile: "history: 1\nchunk_size: 2\nlog_level: info", "\(ownFolder)/a.yml": "history: null\nchunk_size: ~\nlog_level:\n",
      "\(ownFolder)/b.yml": "", "\(ownFolder)/c.yml": "# nothing\n\n# here\n", "\(ownFolder)/d.yml": "---\n",
    ])
    let settings = try await root.load(environment: anyDatabase.merging(["WAZO_CALL_LOGS_HISTORY": ""]) { $1 })
    #expect(settings.history == 1)
    #expect(settings.chunkSize == 2)
    #expect(settings.logLevel == .info)
    #expect(settings.unknownKeys.isEmpty)
  }

  @Test("--config takes the place of our own file and its conf.d, and reads the conf.d beside it")
  func namedFile() async throws {
    let root = try Root([
      ownFile: "history: 1\nchunk_size: 1\nlog_level: debug", "\(ownFolder)/a.yml": "history: 2",
      "home/mine.yml": "history: 3", "home/conf.d/x.yml": "chunk_size: 4", "other/theirs.yml": "history: 5",
    ])
    let named = try await root.load(environment: anyDatabase, config: "home/mine.yml")
    #expect(named.history == 3)
    #expect(named.chunkSize == 4)
    #expect(named.logLevel == .warning)

    let environment = anyDatabase.merging(["WAZO_CALL_LOGS_CONFIG": "\(root.path)/other/theirs.yml"]) { $1 }
    #expect(try await root.load(environment: environment).history == 5)
    #expect(try await root.load(environment: environment, config: "home/mine.yml").history == 3)
  }

  @Test("no file at all gives the defaults of the catalogue")
  func defaults() async throws {
    let root = try Root()
    let settings = try await root.load(environment: anyDatabase)
    #expect(settings.celTable == "cel" && settings.chunkSize == 20_000 && settings.history == 20_000)
    #expect(settings.celTimeZone == nil && settings.defaultTenant == nil && settings.directory == nil && settings.linkCELs == nil)
    #expect(settings.lockTimeout == .seconds(5) && settings.connectTimeout == .seconds(10) && settings.retryFor == .seconds(60))
    #expect(settings.workers == 1 && settings.closeAfter == nil && settings.finalAfter == .seconds(3_600))
    #expect(settings.logLevel == .warning)
    #expect(Settings.catalogue.map(\.key).sorted() == settings.sources.keys.sorted())
    #expect(settings.sources.filter { !$0.key.hasSuffix("db_uri") }.values.allSatisfy { $0 == "default" })
    // What the catalogue says is the default is accepted, and is the default.
    let said = Settings.catalogue.filter { !$0.defaultText.contains(" ") && $0.defaultText != "none" }
    let again = try await root.load(
      Dictionary(uniqueKeysWithValues: said.map { ($0.key, $0.defaultText) }), environment: anyDatabase)
    #expect(said.count == 20)
    #expect(again.chunkSize == settings.chunkSize && again.history == settings.history && again.celTable == settings.celTable)
    #expect(again.lockTimeout == settings.lockTimeout && again.connectTimeout == settings.connectTimeout)
    #expect(again.retryFor == settings.retryFor && again.logLevel == settings.logLevel)
    #expect(again.workers == 1 && again.closeAfter == nil && again.finalAfter == settings.finalAfter)
    #expect(again.recordingsDirectory == settings.recordingsDirectory && again.purgeTables == settings.purgeTables)
    #expect(again.directory == nil && again.linkCELs == nil)
  }

  @Test("the checkpoint folder: the system's for root or where it exists, else the user's state folder")
  func checkpointFolder() async throws {
    let root = try Root()
    func folder(_ environment: [String: String], isRoot: Bool = false) -> String? {
      Settings.defaultCheckpointDirectory(root: root.path, environment: environment, isRoot: isRoot)
    }
    let system = "\(root.path)/var/lib/wazo-call-logs"
    #expect(folder([:], isRoot: true) == system)
    #expect(folder(["XDG_STATE_HOME": "/state", "HOME": "/home/a"]) == "/state/wazo-call-logs")
    #expect(folder(["XDG_STATE_HOME": "relative", "HOME": "/home/a"]) == "/home/a/.local/state/wazo-call-logs")
    #expect(folder([:]) == nil)
    try FileManager.default.createDirectory(atPath: system, withIntermediateDirectories: true)
    #expect(folder(["HOME": "/home/a"]) == system)
    let set = try await root.load(["checkpoint_dir": "/srv/x"], environment: anyDatabase)
    #expect(set.checkpointDirectory == "/srv/x")
  }
}
