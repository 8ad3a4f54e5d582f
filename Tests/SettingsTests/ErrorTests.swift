import Foundation
import Testing

@testable import Settings

@Suite("What is wrong is named")
struct ErrorTests {
  private func error(
    _ files: [String: String] = [:], _ overrides: [String: String] = [:], environment: [String: String] = [:],
    config: String? = nil
  ) async throws -> (error: SettingsError, text: String, root: Root) {
    let root = try Root(files)
    let error = await #expect(throws: SettingsError.self) {
      try await root.load(overrides, environment: anyDatabase.merging(environment) { $1 }, config: config)
    }
    let some = try #require(error)
    return (some, "\(some)", root)
  }

  @Test(
    "a value of the wrong kind, with key, value, place and what is allowed",
    arguments: [
      ("cel_table", "a.b.c"), ("cel_table", "cel; drop"), ("cel_table", "1cel"), ("cel_table", "\"cel"),
      ("cel_time_zone", "Mars/Base"), ("cel_time_zone", "../../etc/passwd"), ("cel_time_zone", "America"),
      ("default_tenant", "6a1f2c3d-0b1c-4d5e-8f90-12345678"), ("default_tenant", "6a1f2c3d0b1c4d5e8f90123456789abc"),
      ("chunk_size", "many"), ("chunk_size", "0"), ("chunk_size", "10000001"), ("chunk_size", "1.5"), ("history", "-1"),
      ("link_cels", "maybe"), ("lock_timeout", "0"), ("lock_timeout", "5 days"), ("lock_timeout", "s"), ("retry_for", "-1s"),
      ("connect_timeout", "inf"), ("retry_for", "1.2.3"), ("retry_for", "99h"), ("retry_for", "1.1d"), ("lock_timeout", "2d"),
      ("workers", "0"), ("workers", "65"), ("workers", "two"), ("close_after", "59s"), ("close_after", "0"),
      ("close_after", "3651d"),
      ("close_after", "never"), ("close_after", "99999999999999999999d"), ("final_after", "-1s"), ("final_after", "31d"),
      ("final_after", "off"), ("log_level", "loud"), ("log_level", "Warning"),
    ])
  func wrongValue(key: String, value: String) async throws {
    let allowed = try #require(Settings.catalogue.first { $0.key == key }?.allowed)
    let quoted = "“\(value)”"
    let option = try await error([:], [key: value])
    let source = "option --" + key.replacingOccurrences(of: "_", with: "-")
    #expect(option.error == .invalidValue(key: key, value: quoted, source: source, allowed: allowed))
    for part in [key, value, source, allowed] { #expect(option.text.contains(part)) }

    let name = "WAZO_CALL_LOGS_" + key.uppercased()
    let variable = try await error(environment: [name: value])
    #expect(variable.error == .invalidValue(key: key, value: quoted, source: "environment variable \(name)", allowed: allowed))

    let file = try await error([ownFile: "# ours\n\n\(key): '\(value)'\n"])
    let place = "\(file.root.path)/\(ownFile), line 3"
    #expect(file.error == .invalidValue(key: key, value: quoted, source: place, allowed: allowed))
  }

  @Test("a list or a map where text should be, an empty text")
  func wrongShape() async throws {
    let list = try await error([ownFile: "history: 1\nchunk_size: [1, 2]\n"])
    #expect(list.text.contains("chunk_size cannot be a list (\(list.root.path)/\(ownFile), line 2)"))
    #expect(try await error(["\(ownFolder)/a.yml": "db_uri:\n  host: x\n"]).text.contains("db_uri cannot be a map"))
    #expect(try await error([ownFile: "cel_time_zone: ''"]).text.contains("cel_time_zone cannot be empty"))
    #expect(try await error([:], ["checkpoint_dir": " "]).text.contains("option --checkpoint-dir"))
  }

  @Test("a wrong value that is overridden does no harm")
  func overridden() async throws {
    let root = try Root([ownFile: "chunk_size: [1]\n"])
    #expect(try await root.load(["chunk_size": "7"], environment: anyDatabase).chunkSize == 7)
  }

  @Test(
    "a file that is not YAML, with its line",
    arguments: [
      ("history: 1\nchunk_size: [1, 2\nlog_level: info\n", 3), ("history: 1\n\tchunk_size: 2\n", 2), ("a: b: c\n", 1),
      ("history: 1\n--- \nhistory: 2\n", 2), ("history: 1\nhistory: 2\n", 1), ("just text\n", 1), ("- a\n- list\n", 1),
      ("history: 1\nlog_level: \"\u{1}\"\n", 2), ("db_uri: *nobody\n", 1),
    ])
  func notYAML(text: String, line: Int) async throws {
    let found = try await error([ownFile: text])
    guard case .notYAML(let path, let at, let reason) = found.error else {
      Issue.record("got \(found.text)")
      return
    }
    #expect(path == "\(found.root.path)/\(ownFile)")
    #expect(at.map { abs($0 - line) <= 1 } == true, "line \(String(describing: at))")
    #expect(!reason.isEmpty && found.text.contains("line"))
  }

  @Test("a file that is not text, one with a byte order mark, one with Windows line ends")
  func encodings() async throws {
    let root = try Root([ownFile: "\u{FEFF}history: 3\r\nchunk_size: 4\r\n"])
    let settings = try await root.load(environment: anyDatabase)
    #expect(settings.history == 3 && settings.chunkSize == 4)
    try Data([0x61, 0x3A, 0x20, 0xE9, 0x0A]).write(to: URL(fileURLWithPath: "\(root.path)/\(ownFile)"))
    let error = await #expect(throws: SettingsError.self) { try await root.load(environment: anyDatabase) }
    #expect(error.map { "\($0)" }?.contains("UTF-8") == true)
  }

  @Test("a named file must exist, and be a file; Wazo's broken file is named too")
  func files() async throws {
    let missing = try await error(config: "nowhere.yml")
    #expect(missing.error == .missingFile(path: "\(missing.root.path)/nowhere.yml", namedBy: "option --config"))
    let named = try await error(environment: ["WAZO_CALL_LOGS_CONFIG": "/nowhere/x.yml"])
    #expect(named.error == .missingFile(path: "/nowhere/x.yml", namedBy: "environment variable WAZO_CALL_LOGS_CONFIG"))
    let folder = try await error(["a/b.yml": ""], config: "a")
    #expect(folder.error == .unreadableFile(path: "\(folder.root.path)/a", reason: "it is a folder"))
    let file = try await error([ownFolder: "history: 1\n"])
    #expect(file.error == .unreadableFile(path: "\(file.root.path)/\(ownFolder)", reason: "it is not a folder"))
    #expect(try await error(["\(wazoFolder)/x.yml": "{"]).text.contains("etc/wazo-call-logd/conf.d/x.yml"))
  }

  @Test(
    "a file that may not be read is an error, not a missing file", arguments: [ownFile, "\(ownFolder)/a.yml", wazoFile])
  func permission(name: String) async throws {
    let root = try Root([name: "history: 1\n"])
    let path = "\(root.path)/\(name)"
    if geteuid() == 0 {
      // Root may read any file on a disk, but not what the kernel only takes.
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/proc/sys/vm/compact_memory")
    } else {
      try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
    }
    let error = await #expect(throws: SettingsError.self) { try await root.load(environment: anyDatabase) }
    #expect(error.map { "\($0)" }?.contains("permission denied") == true)
  }

  @Test("unknown keys are warnings, with the file, the line and the nearest key")
  func unknownKeys() async throws {
    let root = try Root([ownFile: "history: 1\nchunk-size: 5\nzzz: [{a: b}]\n", "\(ownFolder)/a.yml": "dburi: x\nCEL_TABLE: y"])
    let settings = try await root.load(["celtable": "x"], environment: anyDatabase)
    #expect(
      settings.unknownKeys == [
        "command line: celtable is not a setting; the nearest is cel_table",
        "\(root.path)/\(ownFile), line 2: chunk-size is not a setting; the nearest is chunk_size",
        "\(root.path)/\(ownFile), line 3: zzz is not a setting",
        "\(root.path)/\(ownFolder)/a.yml, line 1: dburi is not a setting; the nearest is db_uri",
        "\(root.path)/\(ownFolder)/a.yml, line 2: CEL_TABLE is not a setting; the nearest is cel_table",
      ])
    #expect(settings.chunkSize == 20_000 && settings.celTable == "cel")
  }
}
