import Testing

@testable import CallLogs

@Suite("Directory")
struct DirectoryTests {
  private let directory = House.directory

  @Test("lines by name, with their first user and extension")
  func lines() throws {
    let noor = try #require(directory.line(named: "noor"))
    #expect((noor.id, noor.user?.uuid.description, noor.exten.string, noor.context.string) == (42, House.noor, "202", "floor"))
    #expect(directory.line(named: "lobby")?.user == nil)
    #expect(directory.line(named: "piamobile")?.exten.isNull == true)
    #expect(directory.line(named: "Noor") == nil && directory.line(named: "") == nil)
  }

  @Test("users by uuid, contexts by name; what is no UUID is no tenant")
  func users() {
    #expect(directory.user(uuid(House.pia))?.firstLineID == 44)
    #expect(directory.user(uuid(House.stranger)) == nil)
    #expect(directory.tenant(ofContext: "attic") == uuid(House.otherTenant))
    #expect(directory.tenant(ofContext: "broken") == nil && directory.tenant(ofContext: "cellar") == nil)
    #expect((directory.size.users, directory.size.lines) == (5, 7))
    #expect(directory.tenants == [uuid(House.tenant), uuid(House.otherTenant)])
  }

  @Test("of equals the first counts")
  func firstOfEquals() {
    var contents = DirectoryContents()
    contents.users = [
      .init(uuid: House.mira, tenant: House.tenant, userfield: "1"),
      .init(uuid: House.mira.uppercased(), tenant: "", userfield: "2"),
    ]
    contents.lines = [.init(id: 1, name: "a"), .init(id: 2, name: "a", userUUID: House.mira), .init(id: 3, name: "")]
    contents.contexts = [.init(name: "c", tenant: "x"), .init(name: "c", tenant: House.tenant)]
    let directory = Directory(contents)
    #expect(directory.user(uuid(House.mira))?.tags == ["1"])
    #expect(directory.line(named: "a")?.id == 1)
    #expect(directory.tenant(ofContext: "c") == nil)
    #expect((directory.size.users, directory.size.lines) == (1, 1))
  }

  @Test("tags: pieces between commas, trimmed; empty ones and repeated ones stay, an empty field has none")
  func tags() throws {
    for (userfield, expected) in [("", []), (" ", [""]), ("a", ["a"]), (" b ,a,,b,", ["b", "a", "", "b", ""]), (",", ["", ""])]
      as [(String, [String])]
    {
      var contents = DirectoryContents()
      contents.users = [.init(uuid: House.mira, tenant: House.tenant, userfield: userfield)]
      let directory = Directory(contents)
      let user = try #require(directory.user(uuid(House.mira)))
      #expect(user.tags.map(\.string) == expected)
      #expect(!user.tagsWereCut)
    }
  }

  @Test("mailboxes by number, of the tenant, in the context or in any; a mailbox without a tenant serves all")
  func voicemails() {
    let tenant = uuid(House.tenant)
    #expect(directory.voicemail(number: "202", context: "floor", tenant: tenant)?.id == 17)
    #expect(directory.voicemail(number: "202", context: .null, tenant: tenant)?.id == 17)
    #expect(directory.voicemail(number: "202", context: "", tenant: uuid(House.otherTenant))?.id == 16)
    #expect(directory.voicemail(number: "202", context: "attic", tenant: tenant) == nil)
    #expect(directory.voicemail(number: "999", context: "floor", tenant: tenant) == nil)
    var contents = DirectoryContents()
    contents.voicemails = [
      .init(id: 5, number: "1", context: "c", name: "n", tenant: nil),
      .init(id: 6, number: "1", context: "c", name: "n", tenant: House.tenant),
    ]
    #expect(Directory(contents).voicemail(number: "1", context: "c", tenant: uuid(House.otherTenant))?.id == 5)
  }

  @Test("an empty directory knows nobody")
  func nobody() {
    #expect(Directory.none.line(named: "noor") == nil)
    #expect(Directory.none.tenants.isEmpty)
    #expect(Directory.none.defaultTenant == nil)
  }
}
