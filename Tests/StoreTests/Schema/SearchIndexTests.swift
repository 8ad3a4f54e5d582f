import PostgreSQL
import Store
import TestSupport
import Testing

@Suite("Search indexes")
struct SearchIndexTests {
  @Test("are made once; a second time makes nothing")
  func once() throws {
    let database = try TestDatabase(.empty)
    let migrator = Migrator(database.admin)
    try migrator.migrate(program: "test")
    #expect(try SearchIndex.usable(on: database.admin) == [])
    #expect(try migrator.makeSearchIndexes() == SearchIndex.allCases.map(\.rawValue))
    #expect(try SearchIndex.usable(on: database.admin) == Set(SearchIndex.allCases))
    #expect(try migrator.makeSearchIndexes().isEmpty)
  }

  @Test("one that an interrupted run left unfinished is none, and is made again")
  func unfinished() throws {
    let database = try TestDatabase(.empty)
    let migrator = Migrator(database.admin)
    try migrator.migrate(program: "test")
    try database.run("CREATE EXTENSION pg_trgm")
    let other = try database.connect()
    // A snapshot that the index must wait for, until the time limit ends its making.
    try other.script(
      "BEGIN; INSERT INTO call_logd_tenant VALUES ('11111111-1111-4111-8111-111111111111'); LOCK TABLE call_logd_call_log IN ROW EXCLUSIVE MODE",
      purpose: "Standing in the way")
    try database.run("SET lock_timeout = '200ms'")
    let failure = #expect(throws: StoreError.self) { try migrator.makeSearchIndexes() }
    #expect(failure?.kind == .busy && failure?.description.contains("migrate --search") == true)
    #expect(try database.value("count(*) FROM pg_index WHERE NOT indisvalid") == "1")
    #expect(try SearchIndex.usable(on: database.admin) == [])
    try other.script("ROLLBACK", purpose: "Making way")
    #expect(try migrator.makeSearchIndexes() == SearchIndex.allCases.map(\.rawValue))
    #expect(try database.value("count(*) FROM pg_index WHERE NOT indisvalid") == "0")
  }

  @Test("a role that may not make them is told the SQL for an administrator, which makes them")
  func noRight() throws {
    let database = try TestDatabase(.empty)
    try Migrator(database.admin).migrate(program: "test")
    let role = "searcher_\(database.name)"
    try database.run("CREATE ROLE \(role); GRANT SELECT ON call_logd_migration, call_logd_call_log TO \(role)")
    defer { try? database.run("RESET ROLE; DROP OWNED BY \(role); DROP ROLE \(role)") }
    let other = try database.connect()
    try other.script("SET ROLE \(role)", purpose: "Becoming the role")
    let failure = #expect(throws: StoreError.self) { try Migrator(other).makeSearchIndexes() }
    #expect(failure?.kind == .configuration && failure?.description.contains(SearchIndex.script) == true)
    // CREATE INDEX CONCURRENTLY takes no transaction of several statements.
    for statement in SearchIndex.script.split(separator: ";\n") { try database.run(String(statement)) }
    #expect(try SearchIndex.usable(on: database.admin) == Set(SearchIndex.allCases))
  }
}
