import API
import CallLogs
import Listing
import Values

/// Which calls the page shows: the fields of its form, which are the page's address, and what they
/// select.
struct PageFilter: Sendable {
  /// A part of the filter that means nothing.
  struct Problem: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
      case badOperator, badValue(String), twice, contradiction, badTime, openQuote, badZone, badText, badChoice, badPage
      case noUser, tooManyUsers
    }
    let kind: Kind
    /// What was typed.
    let text: String
  }

  static let names = ["q", "from", "until", "direction", "status", "zone", "after"]
  static let directions: KeyValuePairs<String, Direction> = ["inbound": .inbound, "internal": .internal, "outbound": .outbound]
  static let statuses: KeyValuePairs<String, CallLogView.Status> = [
    "answered": .answered, "missed": .unknown, "voicemail": .voicemail, "blocked": .blocked,
  ]

  /// The fields that are filled in.
  private(set) var fields: [String: String] = [:]
  let box: SearchBox
  let zone: PageZone
  private(set) var selection = CallLogSelection()
  private(set) var problems: [Problem] = []
  private var words: [String] = []
  private var seen: Set<String> = []
  private var operatorStatuses: Set<CallLogView.Status> = []
  /// Users who are named, and whom only the database knows.
  private(set) var userTerms: [SearchBox.Term] = []
  /// Users that a filter has at most.
  static let mostUsers = 200

  /// Reads them.
  /// - Parameter zone: of times where the address names none
  init(_ query: QueryString, zone: PageZone) {
    for name in PageFilter.names {
      guard let pair = query.first(name), pair.value != "" else { continue }
      fields[name] = pair.value ?? "\u{FFFD}"
    }
    box = SearchBox(fields["q"] ?? "")
    let named = fields["zone"].map { PageZone(named: $0) }
    self.zone = named.flatMap(\.self) ?? zone
    if case .some(nil) = named { note(.badZone, fields["zone"] ?? "") }
    readFields()
    if let open = box.open { note(.openQuote, open) }
    for term in box.terms { read(term) }
    if !operatorStatuses.isEmpty { narrow(to: operatorStatuses) }
    readWords()
  }

  private mutating func note(_ kind: Problem.Kind, _ text: String) { problems.append(Problem(kind: kind, text: text)) }

  private mutating func readFields() {
    if let text = fields["from"] {
      selection.from = zone.time(ofField: text)
      if selection.from == nil { note(.badTime, text) }
    }
    if let text = fields["until"] {
      selection.to = zone.time(ofField: text)
      if selection.to == nil { note(.badTime, text) }
    }
    if let text = fields["direction"] {
      selection.direction = PageFilter.directions.first { $0.key == text }?.value
      if selection.direction == nil { note(.badChoice, text) }
    }
    if let text = fields["status"] {
      if let status = PageFilter.statuses.first(where: { $0.key == text })?.value {
        selection.statuses = [status]
      } else {
        note(.badChoice, text)
      }
    }
    if let text = fields["after"] {
      selection.before = PageFilter.place(text)
      if selection.before == nil { note(.badPage, text) }
    }
  }

  // MARK: The box

  private mutating func read(_ term: SearchBox.Term) {
    guard let key = term.key else {
      words.append(term.value)
      return
    }
    guard !term.value.utf8.contains(0) else { return note(.badText, term.source) }
    switch key {
    case "from": selection.caller = number(term)
    case "to": selection.callee = number(term)
    case "number": selection.number = number(term)
    case "is":
      let status = PageFilter.statuses.first { $0.key == term.value.lowercased() }?.value
      if let status { operatorStatuses.insert(status) } else { bad(term, PageFilter.statuses.map(\.key)) }
    case "dir", "direction": readDirection(term)
    case "tag": term.value.isEmpty || selection.tags.count >= 100 ? bad(term, ["tag:sales"]) : selection.tags.append(term.value)
    case "user":
      if let user = UUIDValue(term.value) {
        selection.users.append(user)
      } else if term.value.allSatisfy(\.isWhitespace) || userTerms.count >= 20 {
        bad(term, ["user:\"Ann Lee\"", "user:UUID"])
      } else {
        userTerms.append(term)
      }
    case "after": if let time = time(term) { selection.from = max(selection.from ?? time, time) }
    case "before": if let time = time(term) { selection.to = min(selection.to ?? time, time) }
    case "has":
      if term.value.lowercased() == "recording" { selection.isRecorded = true } else { bad(term, ["recording"]) }
    case "conversation":
      let parts = term.value.split(separator: ".", omittingEmptySubsequences: false)
      if parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isNumber } }) {
        if isFirst(term) { selection.conversation = term.value }
      } else {
        bad(term, ["conversation:1772438400.17"])
      }
    default: note(.badOperator, term.source)
    }
  }

  private mutating func bad(_ term: SearchBox.Term, _ possible: [String]) {
    note(.badValue(possible.joined(separator: ", ")), term.source)
  }

  /// Whether a term is the first of its key; a problem where it is not.
  private mutating func isFirst(_ term: SearchBox.Term) -> Bool {
    let isFirst = seen.insert(term.key ?? "").inserted
    if !isFirst { note(.twice, term.source) }
    return isFirst
  }

  /// A number, with `_` for each `*` that stands for any digits: first or last.
  private mutating func number(_ term: SearchBox.Term) -> String? {
    func isWild(_ character: Character?) -> Bool { character == "*" || character == "_" }
    var digits = term.value[...]
    let before = isWild(digits.first)
    if before { digits.removeFirst() }
    let after = isWild(digits.last)
    if after { digits.removeLast() }
    guard !digits.isEmpty, digits.count <= 80,
      digits.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+*#.-".contains($0)) })
    else {
      bad(term, ["101", "101*", "*101", "+33*"])
      return nil
    }
    return isFirst(term) ? (before ? "_" : "") + digits + (after ? "_" : "") : nil
  }

  /// The time of an operator: a day, which begins at midnight, or a day with a time.
  private mutating func time(_ term: SearchBox.Term) -> Timestamp? {
    let text = term.value.uppercased()
    guard let time = zone.time(ofField: text.contains("T") ? text : text + "T00:00") else {
      bad(term, ["2026-03-02", "2026-03-02T08:00"])
      return nil
    }
    return isFirst(term) ? time : nil
  }

  /// Takes the users that the database knows by the names of ``userTerms``. Several mean calls of
  /// any of them.
  mutating func take(users: [[UUIDValue]]) {
    for (term, found) in zip(userTerms, users) {
      if found.isEmpty { note(.noUser, term.source) }
      if found.count > PageFilter.mostUsers { note(.tooManyUsers, term.source) }
      selection.users += found.prefix(PageFilter.mostUsers)
    }
  }

  private mutating func readDirection(_ term: SearchBox.Term) {
    let words: KeyValuePairs<String, Direction> = [
      "in": .inbound, "out": .outbound, "internal": .internal, "inbound": .inbound, "outbound": .outbound,
    ]
    guard let direction = words.first(where: { $0.key == term.value.lowercased() })?.value else {
      return bad(term, ["in", "out", "internal"])
    }
    if let other = selection.direction, other != direction { return note(.contradiction, term.source) }
    selection.direction = direction
  }

  private mutating func narrow(to statuses: Set<CallLogView.Status>) {
    let both = selection.statuses.map { $0.intersection(statuses) } ?? statuses
    if both.isEmpty { note(.contradiction, fields["status"] ?? "") }
    selection.statuses = both
  }

  private mutating func readWords() {
    let text = words.joined(separator: " ")
    do {
      guard !text.utf8.contains(0) else { throw CallLogSearch.Mistake.idTooGreat }
      selection.search = try CallLogSearch(text)
    } catch {
      note(.badText, text)
    }
  }

  // MARK: The address

  /// The query of the page's address with some fields changed; a field that becomes nil is left
  /// out.
  func address(_ changes: KeyValuePairs<String, String?> = [:]) -> String {
    var fields = fields
    for (name, value) in changes { fields[name] = value }
    return PageFilter.names.compactMap { name in
      fields[name].flatMap { $0.isEmpty ? nil : "\(name)=\(PageFilter.encoded($0))" }
    }.joined(separator: "&")
  }

  /// A call log's place in the list.
  static func place(start: Timestamp, id: Int64) -> String { "\(start)_\(id)" }

  private static func place(_ text: String) -> CallLogSelection.Place? {
    CallLogSelection.Place(word: text)
  }

  static func encoded(_ text: String) -> String {
    var out = ""
    for byte in text.utf8 {
      let scalar = Unicode.Scalar(byte)
      if byte < 128,
        scalar.properties.isAlphabetic || scalar.properties.numericType != nil || "-._~:".unicodeScalars.contains(scalar)
      {
        out.unicodeScalars.append(scalar)
      } else {
        out += byte < 16 ? "%0" : "%"
        out += String(byte, radix: 16, uppercase: true)
      }
    }
    return out
  }
}
