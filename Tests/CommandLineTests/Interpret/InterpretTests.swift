import Foundation
import Testing

@Suite("interpret")
struct InterpretTests {
  private func interpret(
    _ data: Data, _ arguments: String..., environment: [String: String] = [:], _ location: SourceLocation = #_sourceLocation
  ) throws -> Outcome {
    let tenantSet = ["WAZO_CALL_LOGS_DEFAULT_TENANT": tenant].merging(environment) { $1 }
    return try Running(Program.path, ["interpret"] + arguments, input: data, environment: tenantSet).finish(location)
  }

  @Test("A file, standard input, zstd, CRLF, a byte order mark, no line feed at the end: all give the same")
  func sources() throws {
    let csv = CELFile.oneCall.text
    let expected = try interpret(Data(csv.utf8))
    #expect(expected.status == 0)
    #expect(expected.errors.isEmpty)
    #expect(try expected.objects().count == 1)
    let folder = try Scratch()
    let plain = folder.file("cels.csv", csv)
    let packed = try Program.bash("zstd -q \(plain)")
    #expect(packed.status == 0)
    let outcomes = [
      try interpret(Data(), plain), try interpret(Data(csv.utf8), "-"), try interpret(Data(), plain + ".zst"),
      try interpret(Data(contentsOf: URL(fileURLWithPath: plain + ".zst"))),
      try interpret(Data(csv.replacing("\n", with: "\r\n").utf8)), try interpret(Data(("\u{FEFF}" + csv).utf8)),
      try interpret(Data(csv.dropLast().utf8)), try interpret(Data((csv + "\\.\n").utf8)),
    ]
    for outcome in outcomes {
      #expect(outcome.status == 0)
      #expect(outcome.text == expected.text)
      #expect(outcome.errors.isEmpty)
    }
  }

  @Test("jsonl has one call log to a line, json is one array of the same")
  func formats() throws {
    let data = try Data(Template.simulated.get().csv.utf8)
    let array = try interpret(data)
    let lines = try interpret(data, "--format", "jsonl")
    #expect(try array.objects().count == Template.simulated.get().summary.callLogs)
    #expect(try lines.objects() as NSArray == array.objects() as NSArray)
    #expect(try interpret(Data((CELFile.header + "\n").utf8)).objects().isEmpty)
    #expect(try interpret(Data((CELFile.header + "\n").utf8), "--format", "jsonl").text.isEmpty)
  }

  @Test("What the job stores of the same CELs and directory is what interpret writes")
  func agreesWithTheJob() throws {
    let simulated = try Template.simulated.get()
    let directory = Scratch.shared.file("agrees.json", simulated.directoryJSON)
    let written = try interpret(Data(simulated.csv.utf8), "--directory", directory).objects()
    let database = try TestDatabase(.wazo)
    expectSilence(try database.run())
    let stored = try database.psql(
      "SELECT conversation_id COLLATE \"C\", coalesce(direction, ''), coalesce(source_name, ''), tenant_uuid FROM call_logd_call_log ORDER BY 1"
    )
    let expected = written.map { callLog in
      ["conversation_id", "direction", "source_name", "tenant_uuid"].map { callLog[$0] as? String ?? "" }.joined(separator: "|")
    }.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    #expect(stored.split(separator: "\n").map(String.init) == expected)
  }

  @Test("The directory's users and tenants are in the call logs")
  func directory() throws {
    let simulated = try Template.simulated.get()
    let file = Scratch.shared.file("directory.json", simulated.directoryJSON)
    let callLogs = try interpret(
      Data(simulated.csv.utf8), "--directory", file, environment: ["WAZO_CALL_LOGS_DEFAULT_TENANT": ""]
    ).objects()
    #expect(Set(callLogs.compactMap { $0["tenant_uuid"] as? String }).count >= 2)
    #expect(callLogs.contains { ($0["participants"] as? [[String: Any]])?.isEmpty == false })
    let data = CELFile.oneCall.data
    expectFailure(try interpret(data, "--directory", "/no/such.json"), 65, "/no/such.json", "No such file")
    expectFailure(try interpret(data, "--directory", Scratch.shared.file("bad.json", "{")), 65, "bad.json")
    expectFailure(try interpret(data, "--directory", "wazo"), 64, "JSON file")
  }

  @Test("--cel-time-zone reads the wall clock in that zone, whatever offset stands beside it")
  func timeZone() throws {
    var file = CELFile.oneCall
    file.addCall("1772445610.1")
    let wall = Data(file.text.replacing("+00\"", with: "\"").utf8)
    func date(_ outcome: Outcome) throws -> String { try outcome.objects().first?["date"] as? String ?? "" }
    #expect(try date(interpret(wall)).hasPrefix("2026-03-02T10:00:01"))
    #expect(try date(interpret(wall, "--cel-time-zone", "Europe/Paris")).hasPrefix("2026-03-02T09:00:01"))
    #expect(try date(interpret(file.data)).hasPrefix("2026-03-02T10:00:01"))
    #expect(try date(interpret(file.data, "--cel-time-zone", "Europe/Paris")).hasPrefix("2026-03-02T09:00:01"))
    // The uniqueids tell that it was 10:00 in UTC.
    #expect(try interpret(wall, "--cel-time-zone", "America/Montreal").errors.contains("+5 h off"))
  }

  @Test(
    "A broken line ends it with 65, its number, and no output",
    arguments: [
      (2, "1,2,3\n", "3 fields where the header has 14"), (5, "\n", "1 fields"), (3, "\"1,\n\n\n", "inside a quoted field"),
      (4, "x" + String(repeating: ",", count: 13) + "\n", "the id \"x\" is not a number"),
    ])
  func brokenLine(line: Int, bytes: String, reason: String) throws {
    var lines = CELFile.oneCall.lines.map { $0 + "\n" }
    lines.insert(bytes, at: line - 1)
    // The rest holds quotes, which would close the open one.
    if bytes.contains("\"") { lines.removeSubrange(line...) }
    expectFailure(try interpret(Data(lines.joined().utf8)), 65, "standard input, line \(line): ", reason)
  }

  @Test("A header that lacks a column, or has one twice, and a file without any are refused")
  func header() throws {
    expectFailure(try interpret(Data()), 65, "standard input is empty", "header")
    expectFailure(try interpret(Data("id,eventtype\n".utf8)), 65, "line 1", "lacks eventtime, channame, uniqueid, linkedid")
    expectFailure(try interpret(Data((CELFile.header + ",id\n").utf8)), 65, "line 1", "id comes twice")
    expectFailure(try interpret(Data([0x28, 0xB5, 0x2F, 0xFD, 0, 1])), 65, "standard input: ")
    expectFailure(try interpret(Data(), "/no/such.csv"), 65, "/no/such.csv", "No such file")
    expectFailure(try interpret(Data(), "/"), 74, "cannot read /", "directory")
  }

  @Test("A compressed file that is cut off is bad input, and gives nothing")
  func cutOff() throws {
    let packed = Scratch.shared.file("whole.csv", try Template.simulated.get().csv)
    #expect(try Program.bash("zstd -qf \(packed)").status == 0)
    let whole = try Data(contentsOf: URL(fileURLWithPath: packed + ".zst"))
    expectFailure(try interpret(whole.prefix(whole.count / 2)), 65, "standard input: ")
  }

  @Test("Malformed events are counted with their ids; the call stands")
  func malformed() throws {
    var file = CELFile()
    var ids: [Int] = []
    file.addCall { file in
      ids.append(file.add("XIVO_USER_FWD", ["extra": "{not json"]))
      ids.append(file.add("NO_SUCH_EVENT"))
      ids.append(file.add("APP_START", ["uniqueid": "1772445600.77", "channame": "PJSIP/carol-00000003"]))
      ids.append(file.add("BRIDGE_ENTER", ["eventtime": "yesterday"]))
      ids.append(file.add("HOLD", ["linkedid": ""]))
    }
    let outcome = try interpret(file.data)
    #expect(outcome.status == 0)
    #expect(try outcome.objects().count == 1)
    for (id, label) in zip(
      ids, ["extra is not JSON", "unknown event", "channel without CHAN_START", "unreadable eventtime", "no linkedid"])
    {
      #expect(outcome.errors.contains("1 × \(label) (CEL \(id))\n"))
    }
  }

  @Test("Invalid UTF-8 and U+0000 are mended and counted")
  func badText() throws {
    let text = CELFile.oneCall.text
    let invalid = Data(text.replacing("Alice", with: "Al?ce").utf8.map { $0 == UInt8(ascii: "?") ? 0xFF : $0 })
    let mended = try interpret(invalid)
    #expect(mended.status == 0)
    #expect(try mended.objects().first?["source_name"] as? String == "Al\u{FFFD}ce")
    #expect(mended.errors.contains("invalid UTF-8 (CEL 1, 2, 5, 7, 10, …)"))
    let nul = try interpret(Data(text.replacing("Alice", with: "Ali\0ce").utf8))
    #expect(nul.status == 0)
    #expect(try nul.objects().first?["source_name"] as? String == "Alice")
    #expect(nul.errors.contains("U+0000 in text"))
  }

  @Test("A call without LINKEDID_END gives nothing yet, and --log-level info says so")
  func unfinished() throws {
    var file = CELFile()
    file.addCall(ended: false)
    let outcome = try interpret(file.data, "--log-level", "info")
    #expect(outcome.status == 0)
    #expect(try outcome.objects().isEmpty)
    #expect(outcome.errors.contains("1 unfinished"))
  }

  @Test("A call without LINKEDID_END is closed by close_after; without it a file that has none is named as the reason")
  func closeAfter() throws {
    var file = CELFile()
    for call in 1...30 { file.addCall("call-\(call)-", ended: false) }
    let closed = try interpret(file.data, "--close-after", "1h")
    #expect(closed.status == 0 && closed.errors.isEmpty, "\(closed.errors)")
    #expect(try closed.objects().count == 30)
    let outcome = try interpret(file.data)
    #expect(outcome.status == 0)
    #expect(try outcome.objects().isEmpty)
    #expect(outcome.errors.contains("no LINKEDID_END in 330 CELs") && outcome.errors.contains("close_after"))
    // Some of the calls have ended.
    file.addCall()
    #expect(try interpret(file.data).errors.isEmpty)
  }

  @Test("Output that cannot be written ends with 74")
  func output() throws {
    let csv = Scratch.shared.file("output.csv", try Template.simulated.get().csv)
    let set = ["WAZO_CALL_LOGS_DEFAULT_TENANT": tenant]
    expectFailure(
      try Program.bash("wazo-call-logs interpret \(csv) > /dev/full", environment: set), 74, "standard output", "No space left")
    let closed = try Program.bash("{ wazo-call-logs interpret \(csv); echo $? >&3; } 3>&2 | true", environment: set)
    #expect(closed.errors.hasSuffix("Broken pipe\n74\n"))
    expectFailure(try Program.bash("wazo-call-logs interpret \(csv) >&-", environment: set), 74, "standard output")
    expectFailure(try Program.bash("wazo-call-logs interpret <&-", environment: set), 74, "cannot read standard input")
  }
}
