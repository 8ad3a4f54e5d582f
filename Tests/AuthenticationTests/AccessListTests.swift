import Authentication
import TestSupport
import Testing

@Suite("What a token may do")
struct AccessListTests {
  static let user = "3f0e3c5e-8d5b-4a53-9a4e-0c3c8f1d2b7a"

  @Test(
    "an access is given as it is written, with * within a word and # over words",
    arguments: [
      ("call-logd.cdr.read", "call-logd.cdr.read", true),
      ("call-logd.cdr.read", "call-logd.cdr.reads", false),
      ("call-logd.cdr.read", "call-logd.cdr", false),
      ("call-logd.cdr.*.read", "call-logd.cdr.17.read", true),
      ("call-logd.cdr.*.read", "call-logd.cdr.read", false),
      ("call-logd.cdr.*.read", "call-logd.cdr.17.18.read", false),
      ("call-logd.cdr.*.read", "call-logd.cdr..read", true),
      ("call-logd.cdr.1*.read", "call-logd.cdr.17.read", true),
      ("call-logd.cdr.1*.read", "call-logd.cdr.27.read", false),
      ("call-logd.#", "call-logd.cdr.17.recordings.x.media.read", true),
      ("call-logd.#", "call-logd.", true),
      ("call-logd.#", "call-logd", false),
      ("call-logd.#", "call-logd2.cdr", false),
      ("call-logd.#.read", "call-logd.cdr.read", true),
      ("call-logd.#.read", "call-logd.read", false),
      ("call-#", "call-logd.cdr.read", true),
      ("#", "anything.at.all", true),
      ("#", "", true),
      ("*", "one", true),
      ("*", "one.two", false),
      ("*", "#", false),
      ("a.edit", "a.update", true),
      ("a.edit", "a.edit", true),
      ("a.update", "a.edit", false),
      ("a.b", "a+b", false),
      ("", "", true),
      ("", "a", false),
    ])
  func wildcards(given: String, asked: String, isAllowed: Bool) {
    #expect(AccessList([given]).allows(asked) == isAllowed)
  }

  @Test("what begins with ! takes away, wherever it stands")
  func negation() {
    for list in [["#", "!call-logd.cdr.#"], ["!call-logd.cdr.#", "#"]] {
      #expect(!AccessList(list).allows("call-logd.cdr.read"))
      #expect(AccessList(list).allows("call-logd.status.read"))
    }
    #expect(!AccessList(["!call-logd.cdr.read"]).allows("call-logd.status.read"))
    #expect(!AccessList([]).allows("call-logd.status.read"))
    #expect(
      !AccessList(["call-logd.users.#", "!call-logd.users.me.#"], user: Self.user).allows("call-logd.users.\(Self.user).cdr.read")
    )
  }

  @Test("me stands for itself and for the user, as a whole word only")
  func me() {
    let own = AccessList(["call-logd.users.me.cdr.read"], user: Self.user)
    #expect(own.allows("call-logd.users.me.cdr.read"))
    #expect(own.allows("call-logd.users.\(Self.user).cdr.read"))
    #expect(!own.allows("call-logd.users.3f0e3c5e-8d5b-4a53-9a4e-0c3c8f1d2b7b.cdr.read"))
    #expect(!AccessList(["users.mean"], user: Self.user).allows("users.\(Self.user)an"))
    #expect(!AccessList(["users.me"], user: nil).allows("users.nil"))
    #expect(AccessList(["me"], user: Self.user).allows(Self.user))
    // The user's own uuid in a list is no word with a meaning.
    #expect(!AccessList(["users.\(Self.user)"], user: Self.user).allows("users.me"))
    #expect(AccessList(["sessions.my_session.delete"], session: "s1").allows("sessions.s1.delete"))
    #expect(!AccessList(["sessions.my_session.delete"]).allows("sessions.s1.delete"))
  }

  @Test("many wildcards are decided at once")
  func manyWildcards() {
    let hard = AccessList([String(repeating: "#a", count: 200) + "b"])
    #expect(!hard.allows(String(repeating: "a", count: 2000)))
  }

  /// What fits, by trying everything: slow, and plainly right.
  private func fits(_ pattern: Substring, _ text: Substring) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    let rest = pattern.dropFirst()
    switch first {
    case "*", "#":
      if fits(rest, text) { return true }
      guard let next = text.first, first == "#" || next != "." && next != "#" else { return false }
      return fits(pattern, text.dropFirst())
    default: return text.first == first && fits(rest, text.dropFirst())
    }
  }

  @Test("any pattern gives what trying everything gives")
  func anyPattern() {
    var random = Seeded()
    for _ in 0..<3000 {
      let pattern = String((0..<Int.random(in: 0...7, using: &random)).compactMap { _ in "ab.*#".randomElement(using: &random) })
      let text = String((0..<Int.random(in: 0...7, using: &random)).compactMap { _ in "aab.#".randomElement(using: &random) })
      #expect(AccessList([pattern]).allows(text) == fits(pattern[...], text[...]), "\(random): \(pattern) on \(text)")
    }
  }
}
