import Testing

@testable import CallLogs

@Suite("Directories in JSON")
struct DirectoryJSONTests {
  private func contents(_ json: String) throws -> DirectoryContents { try DirectoryContents(json: Array(json.utf8)) }

  @Test("users, lines, contexts and mailboxes, the first user and extension of a line, what may be left out")
  func whole() throws {
    let contents = try contents(
      """
      {"default_tenant_uuid":"\(House.masterTenant)",
       "users":[{"uuid":"\(House.mira)","tenant_uuid":"\(House.tenant)","userfield":null,"line_ids":[41,5],"color":"red"},
                {"uuid":"\(House.noor)","tenant_uuid":"\(House.tenant)"}],
       "lines":[{"id":41,"name":"mira","users":[{"uuid":"\(House.mira)"},{"uuid":"x"}],
                 "extensions":[{"exten":"201","context":"floor"},{"exten":"9","context":"x"}]},
                {"id":9,"name":null,"users":[],"extensions":[]}],
       "contexts":[{"name":"floor","tenant_uuid":"\(House.tenant)"}],
       "voicemails":[{"id":3,"number":"201","context":"floor"}]}
      """)
    #expect(contents.defaultTenant == House.masterTenant)
    #expect(contents.users.map(\.userfield) == ["", ""])
    #expect(contents.users.map(\.lineIDs) == [[41, 5], []])
    #expect(contents.lines.map(\.userUUID) == [House.mira, nil])
    #expect(contents.lines.map(\.exten) == ["201", nil] && contents.lines.map(\.context) == ["floor", nil])
    #expect(contents.contexts.map(\.name) == ["floor"])
    #expect(contents.voicemails.map(\.name) == [""] && contents.voicemails[0].tenant == nil)
    #expect(try self.contents("{}").users.isEmpty)
  }

  @Test(
    "errors name the place",
    arguments: [
      (#"{"users":[{"uuid":"x"}]}"#, "users[0]", "tenant_uuid"), (#"{"lines":[{"id":1},{"id":"2"}]}"#, "lines[1].id", "Int"),
      (#"{"lines":[{"id":1,"extensions":[{"exten":"1","context":7}]}]}"#, "lines[0].extensions[0].context", "String"),
      (#"{"lines":[{"id":99999999999}]}"#, "lines[0].id", "99999999999"), (#"{"contexts":[null]}"#, "contexts[0]", ""),
      (#"{"users":{}}"#, "users", "Array"), ("[]", "the top level", ""), ("{", "not JSON", ""),
      ("", "not JSON", ""),
      (#"{"users":[{"uuid":"me","tenant_uuid":"x"}]}"#, "me", "UUID"),
      (#"{"default_tenant_uuid":"main"}"#, "default_tenant_uuid", "main"),
      (#"{"voicemails":[{"id":1,"number":2,"context":"c"}]}"#, "voicemails[0].number", "String"),
    ])
  func errors(json: String, place: String, detail: String) {
    let error = #expect(throws: DirectoryError.self) { try contents(json) }
    #expect(
      error?.message.contains(place) == true && (detail.isEmpty || error?.message.contains(detail) == true),
      "\(error?.message ?? "")")
    #expect(error?.description == error?.message)
  }
}
