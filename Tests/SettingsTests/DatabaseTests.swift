import Testing

@testable import Settings

@Suite("Which databases are used")
struct DatabaseTests {
  @Test("with no database named anywhere the error says what to set")
  func none() async throws {
    let root = try Root([wazoFile: "debug: true\n"])
    let error = await #expect(throws: SettingsError.noDatabase) {
      try await root.load(environment: ["PGPASSWORD": "x", "PGHOST": "", "PGSSLMODE": "require"])
    }
    let text = try #require(error.map { "\($0)" })
    for name in ["db_uri", "/etc/wazo-call-logs/config.yml", "WAZO_CALL_LOGS_DB_URI", "--db-uri", "PGHOST"] {
      #expect(text.contains(name))
    }
  }

  @Test("work without a database needs none, and does not look into Wazo's files")
  func notNeeded() async throws {
    let root = try Root([wazoFile: "db_uri: [unclosed\n"])
    #expect(try await root.load(needsDatabase: false).dbURI == nil)
    await #expect(throws: SettingsError.self) { try await root.load() }
  }

  @Test(
    "any of libpq's variables leaves the database to libpq",
    arguments: [
      "PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE", "PGUSER", "PGPORT",
    ])
  func libpq(name: String) async throws {
    let settings = try await Root().load(environment: [name: "1"])
    #expect(settings.dbURI == nil && settings.celDBURI == nil)
    #expect(settings.sources["db_uri"] == "libpq, from \(name)")
    #expect(settings.sources["cel_db_uri"] == "as db_uri")
  }

  @Test("the CELs are in the database of the call logs unless that is set too")
  func celDefault() async throws {
    let one = try await Root().load(["db_uri": "postgresql:///a"], environment: [:])
    #expect(one.celDBURI == one.dbURI && one.dbURI?.connectionString == "postgresql:///a")
    let two = try await Root().load(["db_uri": "postgresql:///a", "cel_db_uri": "postgresql:///b"], environment: [:])
    #expect(two.celDBURI?.connectionString == "postgresql:///b")
    let libpq = try await Root().load(["cel_db_uri": "postgresql:///b"], environment: anyDatabase)
    #expect(libpq.dbURI == nil && libpq.celDBURI?.connectionString == "postgresql:///b")
  }

  @Test("a Wazo server needs no configuration: its databases are read, everything else in its files is passed over")
  func wazo() async throws {
    let root = try Root([wazoFile: wazoLikeFile])
    let settings = try await root.load(environment: anyDatabase)
    #expect(
      settings.dbURI?.connectionString
        == "postgresql://asterisk:proformatique@localhost/wazo-call-logd?application_name=wazo-call-logd")
    #expect(settings.celDBURI?.connectionString == "postgresql://asterisk:proformatique@localhost:5432/asterisk")
    #expect(settings.sources["db_uri"] == "\(root.path)/\(wazoFile), line 8")
    #expect(settings.sources["cel_db_uri"] == "\(root.path)/\(wazoFile), line 9")
    #expect(settings.unknownKeys.isEmpty)
  }

  @Test("Wazo's conf.d overrides its config.yml, later names earlier ones; ours overrides both")
  func wazoFolders() async throws {
    let root = try Root([
      wazoFile: wazoLikeFile, "\(wazoFolder)/01.yml": "db_uri: postgresql:///one\ncel_db_uri: postgresql:///one",
      "\(wazoFolder)/02.yml": "db_uri: postgresql:///two\nchunk_size: 1\nlog_level: [x]", "\(wazoFolder)/03.yml": "",
    ])
    let settings = try await root.load(environment: [:])
    #expect(settings.dbURI?.connectionString == "postgresql:///two")
    #expect(settings.celDBURI?.connectionString == "postgresql:///one")
    #expect(settings.chunkSize == 20_000, "nothing but the databases is Wazo's to say")

    try root.write("db_uri: postgresql:///ours\n", to: ownFile)
    let ours = try await root.load(environment: [:])
    #expect(ours.dbURI?.connectionString == "postgresql:///ours")
    #expect(ours.celDBURI?.connectionString == "postgresql:///ours", "one of ours keeps Wazo's other database out")

    try root.write("cel_db_uri: postgresql:///cels\n", to: ownFile)
    let mixed = try await root.load(environment: [:])
    #expect(mixed.dbURI?.connectionString == "postgresql:///two")
    #expect(mixed.celDBURI?.connectionString == "postgresql:///cels")
  }

  @Test("when ours name db_uri, Wazo's files are not even read")
  func wazoUnread() async throws {
    let root = try Root([wazoFile: "{broken"])
    #expect(try await root.load(["db_uri": "postgresql:///a"]).sources["db_uri"] == "option --db-uri")
    await #expect(throws: SettingsError.self) { try await root.load(["cel_db_uri": "postgresql:///b"]) }
  }
}
