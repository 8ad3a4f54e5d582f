import Foundation
import TestSupport
import Testing

@testable import CallLogs
@testable import Values

@Suite("The JSON in extra")
struct JSONExtraTests {
  private let arena = TextArena()

  private func read(_ text: String?, _ first: Text = "extra", _ second: Text = .null) -> JSONExtra {
    JSONExtra(arena.text(text), arena, keys: first, second)
  }

  private func text(_ value: JSONExtra.Value) -> String? {
    if case .text(let text) = value { return text.string }
    return nil
  }

  private func name(_ value: JSONExtra.Value) -> String {
    switch value {
    case .absent: "absent"
    case .nothing: "nothing"
    case .other: "other"
    case .text: "text"
    }
  }

  @Test(
    "NULL, empty text and JSON that counts as nothing are missing",
    arguments: [nil, "", "{}", " { } ", "[]", "[ ]", "\"\"", "0", "-0.0", "0e7", "null", "false", "\n0\t"])
  func missing(extra: String?) {
    #expect(read(extra).kind == .missing)
  }

  @Test(
    "what kind of JSON it is",
    arguments: [
      ("{\"a\":1}", JSONExtra.Kind.object), ("[0]", .array), ("[[]]", .array), ("\"x\"", .string), ("1", .scalar),
      ("0.01", .scalar), ("true", .scalar), ("-5e-3", .scalar),
    ])
  func kinds(extra: String, kind: JSONExtra.Kind) {
    #expect(read(extra).kind == kind)
  }

  @Test(
    "what is not JSON",
    arguments: [
      " ", "{", "}", "[1,]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "{'a':1}", "01", "1.", ".5", "+1", "1e", "tru", "nul", "NaN",
      "\"a", "\"\\x\"",
      "\"\\u12g4\"", "\"\t\"", "{\"extra\":\"a\"}x", "{} {}", "[1 2]", "\"\\\"", "{\"a\" 1}", "--1", "\u{A0}1",
    ])
  func malformed(extra: String) {
    #expect(read(extra).kind == .malformed)
  }

  @Test("texts under two keys, escapes decoded in keys and values, of equal keys the last")
  func keys() {
    let json = read(#"{"b":{"a":"no"},"\u0061":"x\n\"\\\/\u00e9\ud83d\ude00","b":"y","a":"last"}"#, "a", "b")
    #expect(text(json.first) == "last")
    #expect(text(json.second) == "y")
    #expect(text(read(#"{"a":"x\n\"\\\/\u00e9\ud83d\ude00\b\f\r\t"}"#, "a").first) == "x\n\"\\/é😀\u{8}\u{C}\r\t")
  }

  @Test("values that are no text")
  func otherValues() {
    #expect(name(read(#"{"a":"b"}"#).first) == "absent")
    for nothing in ["null", "0", "false", "[]", "{}"] { #expect(name(read("{\"extra\":\(nothing)}").first) == "nothing") }
    for other in ["1", "true", "[1]", "{\"extra\":\"x\"}"] { #expect(name(read("{\"extra\":\(other)}").first) == "other") }
  }

  @Test("a lone surrogate becomes U+FFFD, U+0000 goes")
  func surrogates() {
    #expect(text(read(#"{"extra":"a\ud83db"}"#).first) == "a\u{FFFD}b")
    #expect(text(read(#"{"extra":"\ude00\ud83d\ud83d\ude00"}"#).first) == "\u{FFFD}\u{FFFD}😀")
    #expect(text(read(#"{"extra":"a\u0000b"}"#).first) == "ab")
  }

  @Test("nesting as deep as any real payload is read, absurd nesting is not")
  func depth() {
    let nested = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(read(nested(100)).kind == .array)
    #expect(read(nested(100_000)).kind == .malformed)
    #expect(read(String(repeating: "{\"a\":", count: 100_000)).kind == .malformed)
  }

  /// Random JSON, most of it then damaged a little.
  private func nearJSON(_ random: inout Seeded) -> String {
    func value(_ depth: Int) -> String {
      switch random.below(depth > 3 ? 5 : 8) {
      case 0: return random.pick(["0", "-1", "12.5", "3e2", "0.0", "1E-2", "-0"])
      case 1: return random.pick(["true", "false", "null"])
      case 2, 3: return random.pick(["\"\"", "\"a\"", "\"é\"", "\"\\n\\\"\"", "\"\\u00e9\"", "\"\\ud83d\\ude00\"", "\"extra\""])
      case 4: return random.pick(["{}", "[]"])
      case 5, 6:
        let members = (0..<1 + random.below(3)).map { _ in
          "\(random.pick(["\"extra\"", "\"k\"", "\"\\u006b\""])):\(value(depth + 1))"
        }
        return "{" + members.joined(separator: random.pick([",", " , "])) + "}"
      default: return "[" + (0..<1 + random.below(3)).map { _ in value(depth + 1) }.joined(separator: ", ") + "]"
      }
    }
    var text = Array(value(0))
    for _ in 0..<random.below(4) {
      let place = random.below(text.count + 1)
      switch random.below(3) {
      case 0: text.insert(random.pick(Array("{}[],:\"\\0e-.tn u+ \n")), at: place)
      case 1 where place < text.count: text.remove(at: place)
      default: if place < text.count { text[place] = random.pick(Array("{}[],:\"\\19dE")) }
      }
    }
    return String(text)
  }

  @Test("agrees with Foundation on what is JSON")
  func likeFoundation() {
    var random = Seeded("near JSON")
    var valid = 0
    for _ in 0..<20_000 {
      let text = nearJSON(&random)
      // Foundation refuses lone surrogates, which here become U+FFFD, and numbers too large for a
      // Double; it allows a comma before a closing bracket.
      guard !text.isEmpty, !text.lowercased().contains("\\ud"), text.firstMatch(of: /[eE]\+?\d{3}|,\s*[\]}]/) == nil else {
        continue
      }
      let isJSON = (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: [.fragmentsAllowed])) != nil
      if isJSON { valid += 1 }
      #expect((read(text).kind != .malformed) == isJSON, "seed \(random.seed): \(text)")
      arena.removeAll()
    }
    #expect(valid > 2000 && valid < 18_000)
  }

  @Test("reads the same text under a key as Foundation")
  func sameText() {
    var random = Seeded("JSON texts")
    for _ in 0..<2000 {
      let value = String(
        String.UnicodeScalarView((0..<random.below(8)).map { _ in random.pick(Array("ab\"\\/\n\té漢😀\u{1}".unicodeScalars)) }))
      guard let data = try? JSONSerialization.data(withJSONObject: ["extra": value, "k": "v"]) else { continue }
      #expect(text(read(String(decoding: data, as: UTF8.self)).first) == value, "seed \(random.seed)")
    }
  }

  @Test("a JSON string ends at its quote, wherever that is, and no control character is let through", arguments: 0...40)
  func strings(count: Int) {
    let arena = TextArena()
    for before in 0..<9 {
      let space = String(repeating: " ", count: before)
      let plain = String("x~!#[]é日/09".cycled(count))
      func first(_ json: String) -> JSONExtra { JSONExtra(arena.text(json), arena, keys: "k") }
      let json = first("\(space){\"k\":\"\(plain)\",\"z\":\"\(plain)\"}")
      guard case .text(let found) = json.first, case .object = json.kind else {
        Issue.record("\(plain) is not read")
        continue
      }
      #expect(found.string == plain)
      let escaped = first("\(space){\"k\":\"\(plain)\\\"\(plain)\"}")
      if case .text(let found) = escaped.first { #expect(found.string == plain + "\"" + plain) } else { Issue.record("\(plain)") }
      for bad in ["\u{1F}", "\n", "\u{0}", "\\x"] {
        guard case .malformed = first("\(space){\"k\":\"\(plain)\(bad)\(plain)\"}").kind else {
          Issue.record("\(plain.count) characters, then \(bad.debugDescription), are taken")
          continue
        }
      }
    }
  }
}

extension String {
  fileprivate func cycled(_ count: Int) -> [Character] { (0..<count).map { Array(self)[$0 % self.count] } }
}
