import Testing

@testable import CallLogs
@testable import Values

@Suite("Payloads of user events")
struct PayloadTests {
  private let arena = TextArena()

  private func pairs(_ text: String, _ keys: String...) -> [String?] {
    let pairs = Payload.Pairs(arena.text(text))
    return keys.map { pairs[arena.text($0)]?.string }
  }

  @Test("a comma in a value is fine unless a key follows")
  func commas() {
    #expect(pairs("type: user,name: Kern, Otto", "type", "name") == ["user", "Kern, Otto"])
    #expect(pairs("name: Kern, otto: x", "name", "otto") == ["Kern", "x"])
    #expect(pairs("a:1,,b:2,", "a", "b") == ["1", "2,"])
  }

  @Test("colons in values, keys of any word characters, values trimmed, not decoded")
  func values() {
    #expect(pairs("a: b:c: d,clé_2:  %41\t", "a", "clé_2") == ["b:c: d", "%41"])
  }

  @Test("text before the first key goes; a space before the first key or before the colon loses that key")
  func lostKeys() {
    #expect(pairs("junk,a: 1", "junk", "a") == [nil, "1"])
    #expect(pairs(" a: 1,b: 2", "a", "b") == [nil, "2"])
    #expect(pairs("a : 1,b: 2", "a", "b") == [nil, "2"])
    #expect(pairs("x: 1,a : 1,b: 2", "x", "a", "b") == ["1,a : 1", nil, "2"])
  }

  @Test("of equal keys the last counts; there may be none")
  func repeated() {
    #expect(pairs("a: 1,a: 2", "a") == ["2"])
    #expect(Payload.Pairs("no key").count == 0)
    #expect(Payload.Pairs("").count == 0)
    #expect(Payload.Pairs(",,:").count == 0)
    #expect(pairs("a:", "a") == [""])
  }

  @Test("positional values stand between the first colon and space and the next")
  func tokens() {
    let tokens = Payload.tokens("a: 1,b: 2: 3,c: ,d:x: y", 4)
    #expect(tokens?.map(\.value) == ["1", "2", "", "y"])
    #expect(tokens?.map(\.key) == ["a", "b", "c", "d:x"])
  }

  @Test("too few tokens, or one without colon and space, make none")
  func fewTokens() {
    #expect(Payload.tokens("a: 1,b: 2", 3) == nil)
    #expect(Payload.tokens("a: 1,b:,c: 3", 3) == nil)
    #expect(Payload.tokens("", 1) == nil)
    #expect(Payload.tokens("a: 1,b: 2,rest", 2)?.count == 2)
  }

  private func forward(_ text: String) -> [String]? {
    Payload.forward(arena.text(text)).map { [$0.number.string, $0.context.string, $0.name.string] }
  }

  @Test("a forward's name runs to the end, with its commas; spaces around the parts go; parts may be empty")
  func forwards() {
    #expect(forward("NUM:203,CONTEXT:floor,NAME:Kern, Otto \"O\"") == ["203", "floor", "Kern, Otto \"O\""])
    #expect(forward("to NUM: 203 , CONTEXT: floor , NAME: Otto ") == ["203", "floor", "Otto"])
    #expect(forward("NUM:,CONTEXT:,NAME:") == ["", "", ""])
    #expect(forward("NUM:1,2,CONTEXT:a,b,NAME:c") == ["1,2", "a,b", "c"])
    #expect(forward("NUM:1,NUM:2,CONTEXT:a,NAME:c") == ["2", "a", "c"])
  }

  @Test(
    "other texts are no forward",
    arguments: ["", "NUM:1", "NUM:1,NAME:a,CONTEXT:b", "num:1,context:a,name:b", "NUM:1 CONTEXT:a NAME:b"])
  func noForward(text: String) {
    #expect(forward(text) == nil)
  }

  @Test("escapes in a forward's JSON are decoded before it is read")
  func forwardEscapes() throws {
    let extra = #"{"extra":"NUM:203,CONTEXT:floor,NAME:Kern\u002c O. \"Zo\u00eb\" \ud83d\ude00"}"#
    let log = try interpret(Stage.call([Row("XIVO_USER_FWD", Stage.mira, 1, extra: extra)])).only()
    #expect(log.requestedName == "Kern, O. \"Zoë\" 😀")
  }

  @Test(
    "percent decoding: UTF-8, a malformed sign stays, plus stays, U+0000 goes",
    arguments: [
      ("a%20b", "a b"), ("%C3%a9", "é"), ("+%2B", "++"), ("100%", "100%"), ("%4", "%4"), ("%g1%41", "%g1A"),
      ("%C3x", "\u{FFFD}x"),
      ("a%00b", "ab"), ("é%41", "éA"), ("%2541", "%41"), ("", ""),
    ])
  func percent(text: String, decoded: String) {
    var (invalid, nul) = (false, false)
    #expect(arena.percentDecoded(arena.text(text), invalid: &invalid, nul: &nul).string == decoded)
    #expect(invalid == decoded.contains("\u{FFFD}"))
  }
}
