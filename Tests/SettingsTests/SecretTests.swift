import TestSupport
import Testing

@testable import Settings

@Suite("Passwords stay out of print")
struct SecretTests {
  @Test(
    "the redacted text keeps what helps to find a fault",
    arguments: [
      ("postgresql://user:pw@host/db", "postgresql://user:***@host/db"),
      ("postgres://user:pw@h1:1,h2:2/db?sslmode=require", "postgres://user:***@h1:1,h2:2/db?sslmode=require"),
      ("postgresql+psycopg2://user:p%40w@[::1]:5432/db", "postgresql+psycopg2://user:***@[::1]:5432/db"),
      ("postgresql://user@host:5432/db", "postgresql://user@host:5432/db"), ("postgresql:///db", "postgresql:///db"),
      ("postgresql://host:5432/db?user=u&password=pw&port=1", "postgresql://host:5432/db?user=u&password=***&port=1"),
      ("postgresql://u@h/db?sslpassword=pw", "postgresql://u@h/db?sslpassword=***"),
      ("postgresql://u@h/db?pass%77ord=pw", "postgresql://u@h/db?***"),
      ("host=h password=pw dbname=d", "host=h password=*** dbname=d"),
      ("host = h password = 'p w\\' x' port=1", "host=h password=*** port=1"),
      ("password=p\\ w user=u", "password=*** user=u"), ("dbname='a b' user=u", "dbname='a b' user=u"),
    ])
  func redacted(text: String, expected: String) throws {
    let uri = try #require(DatabaseURI(text))
    #expect(uri.redacted == expected)
    #expect("\(uri)" == expected)
  }

  @Test(
    "what is no URI and no keyword string is refused, and shows nothing of a password",
    arguments: [
      "mysql://user:Zq9@host/db", "Zq9", "user:Zq9@host/db", "host=h password='Zq9", "postgresql:/u:Zq9@h", "host h password=Zq9",
      "", "=Zq9", "https://Zq9@host?sslmode",
    ])
  func refused(text: String) async throws {
    #expect(DatabaseURI(text) == nil)
    let error = await #expect(throws: SettingsError.self) { try await Root().load(["db_uri": text], environment: [:]) }
    let said = String(describing: error)
    #expect(said.contains("db_uri") && said.contains("--db-uri"))
    #expect(!said.contains("Zq9") || text.hasPrefix("https://Zq9@"), "a user name is shown, a password never: \(said)")
  }

  @Test("no piece of a password is shown, however wrongly it is written", arguments: 0..<200)
  func anyPassword(round: Int) throws {
    var generator = Seeded()
    let specials = [
      "@", "/", "?", "&", "=", ":", "#", "%", "'", "\\", " ", ";", ",", "[", "]", "+", "é", "\"", "//", "@@", "?a=", "&b",
    ]
    let pieces = (0...3).map { "Zq\($0)" }
    let password = pieces.map { $0 + (specials.randomElement(using: &generator) ?? "") }.joined()
    var forms = [
      "postgresql://user:\(password)@host:5432/db", "postgresql+psycopg2://user:\(password)@host/db?sslmode=require",
      "postgresql://host/db?password=\(password)", "postgresql://user@host/db?password=\(password)&sslmode=require",
      "host=h password=\(password)", "host=h password='\(password)' dbname=d",
      "password = \(password) user=u",
    ]
    // With an @ in it, what follows cannot be told from a host.
    if !password.contains("@") { forms.append("postgresql://user:\(password)/db") }
    for form in forms {
      let shown = DatabaseURI.redact(form)
      #expect(pieces.allSatisfy { !shown.contains($0) }, "\(generator): \(form) gives \(shown)")
    }
  }

  @Test("descriptions, dumps and reflection of settings have no password, from whichever source it came")
  func settings() async throws {
    let uri = "postgresql://asterisk:Zq9@localhost/db"
    let root = try Root()
    for source in ["command line", "environment", "file", "Wazo"] {
      var overrides: [String: String] = [:]
      var environment: [String: String] = [:]
      switch source {
      case "command line": overrides = ["db_uri": uri, "cel_db_uri": uri]
      case "environment": environment = ["WAZO_CALL_LOGS_DB_URI": uri]
      case "file": try root.write("db_uri: \(uri)\n", to: ownFile)
      default: try root.write("db_uri: \(uri)\n", to: wazoFile)
      }
      let settings = try await root.load(overrides, environment: environment)
      #expect(settings.dbURI?.connectionString == uri)
      var dumped = ""
      dump(settings, to: &dumped)
      let mirrored = Mirror(reflecting: settings).children.map { "\($0.value) \(String(reflecting: $0.value))" }.joined()
      for text in [String(describing: settings), String(reflecting: settings), dumped, mirrored] {
        #expect(!text.contains("Zq9"))
        #expect(text.contains("***"))
      }
    }
  }

  @Test("errors have no password: a wrong kind of URI, a wrong key beside one, broken YAML on its line")
  func errors() async throws {
    let files = [
      "db_uri: oracle://user:Zq9@host/db", "db_uri: [postgresql://user:Zq9@host/db]",
      "db_uri: \"postgresql://user:Zq9@host/db\nhistory: 1\n", "db_uri: postgresql://user:Zq9@host/db: x\n",
      "db_uri: postgresql://user:Zq9@host/db\ndb_uri: postgresql://user:Zq9@host/db\n", "db_uri: 'postgresql://u:Zq9@h/d' x\n",
    ]
    for text in files {
      for name in [ownFile, wazoFile] {
        let root = try Root([name: text])
        let error = await #expect(throws: SettingsError.self) { try await root.load(environment: [:]) }
        var dumped = ""
        dump(error, to: &dumped)
        for said in [String(describing: error), String(reflecting: error), dumped] { #expect(!said.contains("Zq9"), "\(said)") }
      }
    }
  }

  @Test("swift-configuration's own descriptions of a file have no password")
  func file() async throws {
    let root = try Root([ownFile: "db_uri: postgresql://user:Zq9@host/db\nother: Zq9\n"])
    for provider in try await SettingsFiles.hierarchy("\(root.path)/\(ownFile)") {
      #expect(!"\(provider) \(String(reflecting: provider))".contains("Zq9"))
    }
  }

  @Test(
    "libpq gets the text as it was, without SQLAlchemy's driver",
    arguments: [
      ("postgresql+psycopg2://u:p@h/d", "postgresql://u:p@h/d"), ("postgres+asyncpg:///d", "postgres:///d"),
      ("postgresql://u:p+q@h/d", "postgresql://u:p+q@h/d"), ("host=h password='a b'", "host=h password='a b'"),
    ])
  func connectionString(text: String, expected: String) throws {
    #expect(try #require(DatabaseURI(text)).connectionString == expected)
  }
}
