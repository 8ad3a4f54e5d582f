import ArgumentParser
import CallLogs
import Foundation
import Inspection
import Terminal

struct Explain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Explain a call: its CELs, how each was read, why there is a call log or none.",
    discussion: """
      Shows the CELs of one conversation with the reading of each, malformed events, and the call \
      log that they give. It names the reason if they give none. It also names the stored call \
      log. Changes nothing.

      Examples:
        wazo-call-logs explain 1714986000.1   by one of its linkedids
        wazo-call-logs explain 4711           by the id of its call log
      """)

  @Argument(help: ArgumentHelp("A linkedid, or the id of a call log.", valueName: "conversation|call-log-id"))
  var what: String
  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await Session.run(common) { session in
      try Console.result(Explain.text(try ExplainJob(try session.context(changes: false)).run(what)))
    }
  }

  private static func text(_ explanation: Explanation) -> String {
    var table = TextTable(
      ["id", "time", "event", "channel", "caller id", "exten@context", "read as", "done", "extra"], right: [0])
    for id in explanation.order {
      guard let row = explanation.rows[id] else { continue }
      let reading = explanation.readings[id].map(word) ?? "-"
      table.add([
        String(id), row.time, row.event, row.channel, row.callerID, row.place, reading, row.isCovered ? "yes" : "no", row.extra,
      ])
    }
    var lines = table.lines(limit: 60)
    lines.append("")
    lines.append("Linkedids: " + explanation.linkedids.joined(separator: ", "))
    for channel in explanation.shared {
      lines.append(
        "Joined by channel \(channel.uniqueid), which has events under \(channel.linkedids.joined(separator: " and ")).")
    }
    if explanation.isOriginate { lines.append("Read as a call that began through a pair of Local channels (click to call).") }
    for flaw in explanation.tally.noted {
      lines.append("\(flaw.label): CEL \(explanation.tally.examples(of: flaw).map(String.init).joined(separator: ", "))")
    }
    lines.append(explanation.verdict)
    if let callLog = explanation.callLog { lines.append(pretty(callLog)) }
    lines.append(
      explanation.stored.isEmpty
        ? "None is stored." : "Stored as call log \(explanation.stored.map(String.init).joined(separator: ", ")).")
    return lines.joined(separator: "\n")
  }

  private static func word(_ reading: Interpreter.Reading) -> String {
    switch reading {
    case .caller: "caller"
    case .callee: "callee"
    case .both: "caller and callee"
    case .originate: "originate"
    case .unread: "not read"
    case .silent: ""
    }
  }

  private static func pretty(_ json: String) -> String {
    guard var object = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any] else { return json }
    // The table above lists the CELs.
    object["cel_ids"] = nil
    guard
      let data = try? JSONSerialization.data(
        withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    else { return json }
    return String(decoding: data, as: UTF8.self)
  }
}
