import Foundation
import Simulation
import Testing

@Suite("The directory")
struct DirectoryTests {
  private struct Directory: Decodable {
    struct User: Decodable {
      var uuid, tenantUuid: String
      var userfield: String?
      var lineIds: [Int]
    }
    struct Reference: Decodable {
      var uuid: String
    }
    struct Extension: Decodable, Hashable {
      var exten, context: String
    }
    struct Line: Decodable {
      var id: Int
      var name, `protocol`, tenantUuid: String
      var users: [Reference]
      var extensions: [Extension]
    }
    struct Context: Decodable {
      var name, tenantUuid: String
    }
    struct Voicemail: Decodable {
      var id: Int
      var number, context, name, tenantUuid: String
    }
    var defaultTenantUuid: String
    var users: [User]
    var lines: [Line]
    var contexts: [Context]
    var voicemails: [Voicemail]
  }

  private let simulation: Simulation
  private let directory: Directory

  init() throws {
    simulation = try Simulation(crowd)
    directory = try Self.decode(simulation)
  }

  private static func decode(_ simulation: Simulation) throws -> Directory {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Directory.self, from: Data(simulation.directoryJSON()))
  }

  @Test("is JSON whose parts fit together")
  func consistent() {
    #expect(directory.users.count == 200)
    #expect(Set(directory.users.map(\.uuid)).count == 200)
    #expect(Set(directory.users.map(\.tenantUuid)).count == 2)
    #expect(!directory.users.map(\.tenantUuid).contains(directory.defaultTenantUuid))
    #expect(Set(directory.lines.map(\.id)).count == directory.lines.count)
    #expect(Set(directory.lines.map(\.name)).count == directory.lines.count)
    let owned = directory.lines.filter { !$0.users.isEmpty }
    #expect(Set(owned.map(\.id)) == Set(directory.users.flatMap(\.lineIds)))
    #expect(directory.lines.count == owned.count + 2, "a trunk to a tenant")
    #expect(directory.users.contains { $0.lineIds.count == 2 })
    let contexts = Set(directory.contexts.map(\.name))
    #expect(directory.lines.flatMap(\.extensions).allSatisfy { contexts.contains($0.context) })
    #expect(directory.voicemails.allSatisfy { contexts.contains($0.context) })
  }

  @Test("has tags in userfields, names with accents, quotes and commas")
  func names() {
    #expect(directory.users.contains { $0.userfield == "sales, paris" })
    #expect(directory.users.contains { $0.userfield == nil })
    let names = directory.voicemails.map(\.name)
    #expect(names.contains { $0.contains("é") })
    #expect(names.contains { $0.contains("\"") })
    #expect(names.contains { $0.contains(",") })
  }

  @Test("lists every user, line, tenant, context and mailbox that the CELs mention")
  func covers() throws {
    let users = Set(directory.users.map(\.uuid))
    let lines = Set(directory.lines.map(\.name))
    let tenants = Set(directory.users.map(\.tenantUuid))
    let contexts = Set(directory.contexts.map(\.name))
    let mailboxes = Set(directory.voicemails.map { "\($0.number)@\($0.context),u" })
    var seen = 0
    for row in try crowdFile.get().rows {
      for match in row["appdata"].matches(of: /user_?uuid: ?([-0-9a-f]{36})|type: user,uuid: ([-0-9a-f]{36})/) {
        #expect(users.contains(String(match.1 ?? match.2 ?? "")), "CEL \(row["id"])")
        seen += 1
      }
      if row.event == "XIVO_INCALL" { #expect(tenants.contains(String(row["appdata"].dropFirst(12)))) }
      if row["appname"] == "VoiceMail" { #expect(mailboxes.contains(row["appdata"])) }
      if row["context"].hasPrefix("default-key-") { #expect(contexts.contains(row["context"])) }
      if let name = row["channame"].wholeMatch(of: /PJSIP\/(\w+)-\w+/)?.1 { #expect(lines.contains(String(name))) }
    }
    #expect(seen > 1000)
  }

  @Test("has one tenant's callers and callees in that tenant's context")
  func tenantsApart() throws {
    let context = Dictionary(
      directory.lines.flatMap { line in line.extensions.map { (line.name, $0.context) } }, uniquingKeysWith: { first, _ in first }
    )
    for group in try crowdFile.get().groups {
      let names = Set(group.compactMap { $0["channame"].wholeMatch(of: /PJSIP\/(\w+)-\w+/).map { String($0.1) } })
      #expect(Set(names.compactMap { context[$0] }).count <= 1)
    }
  }

  @Test("is SQL with as many rows as the JSON, quotes doubled")
  func sql() {
    let text = String(decoding: simulation.directorySQL(), as: UTF8.self)
    let statements = text.components(separatedBy: ";\n").filter { !$0.isEmpty }
    #expect(statements.first == "BEGIN" && statements.last == "COMMIT")
    func rows(_ table: String) -> Int {
      statements.first { $0.hasPrefix("INSERT INTO \(table) ") }.map { $0.components(separatedBy: "\n").count - 1 } ?? 0
    }
    #expect(rows("tenant") == 3)
    #expect(rows("context") == directory.contexts.count)
    #expect(rows("userfeatures") == directory.users.count)
    #expect(rows("linefeatures") == directory.lines.count)
    #expect(rows("user_line") == directory.lines.count - 2)
    #expect(rows("extensions") == directory.users.count)
    #expect(rows("line_extension") == directory.lines.count - 2)
    #expect(rows("voicemail") == directory.voicemails.count)
    #expect(text.contains("O''Neil"))
    #expect(text.count { $0 == "'" }.isMultiple(of: 2))
  }

  @Test("has room for thousands of users in a tenant, with no number twice")
  func many() throws {
    let options = SimulationOptions(calls: 10, until: november, users: 12_001, tenants: 3)
    let large = try Self.decode(Simulation(options))
    #expect(large.users.count == 12_001)
    let extensions = Dictionary(grouping: large.lines.filter { !$0.users.isEmpty }) { $0.extensions }
    #expect(extensions.count == 12_001)
    #expect(extensions.values.allSatisfy { Set($0.flatMap(\.users).map(\.uuid)).count == 1 })
  }
}
