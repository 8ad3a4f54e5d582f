import Testing

@testable import CallLogs
@testable import Values

@Suite("Channel names")
struct ChannelNameTests {
  private let arena = TextArena()

  @Test(
    "technology and line, found anywhere, up to the last dash",
    arguments: [
      ("PJSIP/mira-0000002f", "SIP", "mira"), ("pjsip/mira-1", "sip", "mira"), ("Pjsip/mira-1", "sip", "mira"),
      ("SIP/my-own-trunk-00b1", "SIP", "my-own-trunk"),
      ("sip/mira-1", "sip", "mira"), ("AsyncGoto/SCCP/201-0000007c", "SCCP", "201"), ("DAHDI/i1/2042-7", "DAHDI", "i1/2042"),
      ("IAX2/a_b-1", "IAX2", "a_b"),
      ("Local/id-5@agents-00000001;2", "Local", "id-5@agents"), ("Local/##42@default-01;1", "Local", "##42@default"),
      ("local/x-1", "local", "x"),
      ("Local/+4|*7@ctx-01;1", "Local", "+4|*7@ctx"), ("PJSIP/zoë-1", "SIP", "zoë"), ("SIP/-sip/x-1", "SIP", "-sip/x"),
      ("PJSIP/--1", "SIP", "-"),
      ("SIP/.-PJSIP/a-1", "SIP", "a"),
    ])
  func parsed(name: String, protocolName: String, interface: String) throws {
    let parsed = try #require(ChannelName(arena.text(name)))
    #expect((parsed.protocolName.string, parsed.interface.string) == (protocolName, interface))
    #expect(parsed.isLocal == (protocolName == "Local"))
  }

  @Test(
    "names without a known technology or a usable line",
    arguments: [
      "", "PJSIP/", "PJSIP/mira", "PJSIP/-1", "PJSIP/my.trunk-01", "Local/a.b@ctx-01;1", "Announcer/ARI-01;1",
      "Recorder/ARI-01;1", "CBAnn/room-01;1",
      "Message/ast_msg_queue", "PJSIPmira-1", "SIP mira-1",
    ])
  func unparsed(name: String) {
    #expect(ChannelName(arena.text(name)) == nil)
  }

  @Test(
    "line identity: what stands before the last dash in lower case, Local channels keep their half",
    arguments: [
      ("SIP/Ab-Cd-00000004", "sip/ab-cd"), ("Local/9@Ctx-0000000f;1", "local/9@ctx;1"), ("local/9@ctx-01;2", "local/9@ctx"),
      ("PJSIP/mira", "pjsip/mir"),
      ("", ""), ("-", ""), ("PJSIP/Zoë-1", "pjsip/zoë"), ("PJSIP/zoë", "pjsip/zo"), ("Local/x-€", "local/x-€"),
      ("Local/€", "local//€"),
    ])
  func lineIdentity(name: String, identity: String) {
    #expect(ChannelName.lineIdentity(arena.text(name), arena).string == identity)
  }

  @Test("lower case and joining")
  func derived() {
    let arena = TextArena()
    #expect(arena.lowercased("PJSIP/Ab-Ü") == "pjsip/ab-ü")
    #expect(arena.lowercased("plain") == "plain")
    #expect(arena.joined("a", "") == "a")
    #expect(arena.joined("ab", "cd") == "abcd")
  }
}
