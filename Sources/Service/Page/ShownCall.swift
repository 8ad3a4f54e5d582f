import Listing
import Values

/// A call log as the page shows it. Its texts are its own.
struct ShownCall: Sendable {
  struct Party: Sendable {
    let name, number: String
  }

  struct Recording: Sendable {
    let uuid: UUIDValue
    let start: Timestamp
    let isDeleted: Bool
    let fileName: String
  }

  let id: Int64
  let start: Timestamp
  let answer, end: Timestamp?
  let caller, callee, dialled: Party
  let direction: String
  let status: CallLogView.Status
  let duration: Int64?
  let conversation: String
  let tags: [String]
  let details: [(key: String, value: String)]
  let recordings: [Recording]

  init(_ view: CallLogView, hidesTags: Bool) {
    (id, start, answer, end) = (view.id, view.start, view.answer, view.end)
    caller = Party(name: view.sourceName.string, number: view.sourceExtension.string)
    callee = Party(name: view.destinationName.string, number: view.destinationExtension.string)
    dialled = Party(name: view.requestedName.string, number: view.requestedExtension.string)
    (direction, status, duration) = (view.direction.string, view.status, view.duration)
    conversation = view.conversationID.string
    tags = hidesTags ? [] : view.tags.map(\.string)
    details = view.destinationDetails.map { ($0.key.string, $0.value.string) }
    recordings = view.recordings.map {
      Recording(uuid: $0.uuid, start: $0.start, isDeleted: $0.isDeleted, fileName: view.fileName(of: $0))
    }
  }

  /// A time as minutes and seconds, with hours where there are any.
  static func text(seconds: Int64) -> String {
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return seconds < 3600
      ? "\(seconds / 60):\(two(seconds % 60))" : "\(seconds / 3600):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
  }
}

extension PageText {
  func text(_ status: CallLogView.Status) -> String {
    switch status {
    case .answered: answered
    case .blocked: blocked
    case .voicemail: voicemail
    case .unknown: missed
    }
  }

  func text(direction: String) -> String {
    switch direction {
    case "inbound": inbound
    case "internal": `internal`
    case "outbound": outbound
    default: direction
    }
  }

  func markup(_ party: ShownCall.Party) -> Markup {
    switch (party.name.isEmpty || party.name == party.number, party.number.isEmpty) {
    case (true, true): "<span class=\"none\">\(nobody)</span>"
    case (true, false): "<bdi class=\"name\">\(party.number)</bdi>"
    case (false, true): "<bdi class=\"name\">\(party.name)</bdi>"
    case (false, false): "<bdi class=\"name\">\(party.name)</bdi> <bdi class=\"number\">\(party.number)</bdi>"
    }
  }

  func badge(_ status: CallLogView.Status) -> Markup { "<span class=\"badge \(status.rawValue)\">\(text(status))</span>" }
}
