/// The kinds of flaws in a CEL or in a text of a call log (Interpretation, R113). The program skips
/// the event or mends the text; the call stands.
public enum Flaw: Int, CaseIterable, Sendable {
  /// The row has no linkedid, so it belongs to no call.
  case emptyLinkedid
  /// `eventtime` is missing, infinite or not a time.
  case unreadableTime
  /// The row has the greatest possible id. Ranges of covered ids cannot contain it.
  case lastID
  /// The event is neither Asterisk's nor Wazo's.
  case unknownEvent
  /// The channel has no CHAN_START, so its rows are not read.
  case missingChanStart
  /// `extra` is not JSON.
  case malformedJSON
  /// `extra` is JSON but lacks the content that the event needs.
  case unexpectedPayload
  /// A channel name with an unknown technology or form. The channel takes part without a line.
  case unknownChannelName
  /// A tenant that is not a UUID. It counts as not set.
  case unusableTenant
  /// A second tenant that differs from the first. It is ignored.
  case secondTenant
  /// Bytes that are not UTF-8, replaced by U+FFFD.
  case invalidUTF8
  /// U+0000, dropped.
  case nulCharacter
  /// Text longer than its column, cut.
  case cutText
  /// A recording whose uuid belongs to another call. It gets a derived uuid.
  case recordingUUIDTaken
  /// A CEL points to a missing call log: the call-log database was set back, or another program
  /// deleted the call log. The program makes the call log again.
  case voidLink
  /// A call of another CEL table has the linkedid and keeps its call log. One of the Asterisk
  /// servers needs a `systemname`.
  case linkedidOfOtherTable

  /// The kind in words, for the counts at the end of a run.
  public var label: String {
    switch self {
    case .emptyLinkedid: "no linkedid"
    case .unreadableTime: "unreadable eventtime"
    case .lastID: "greatest possible id"
    case .unknownEvent: "unknown event"
    case .missingChanStart: "channel without CHAN_START"
    case .malformedJSON: "extra is not JSON"
    case .unexpectedPayload: "unexpected extra"
    case .unknownChannelName: "unknown kind of channel name"
    case .unusableTenant: "tenant is not a UUID"
    case .secondTenant: "second tenant in a call"
    case .invalidUTF8: "invalid UTF-8"
    case .nulCharacter: "U+0000 in text"
    case .cutText: "text cut to its column"
    case .recordingUUIDTaken: "recording uuid of another call"
    case .voidLink: "call whose CELs point to a call log that does not exist"
    case .linkedidOfOtherTable: "linkedid of a call of another CEL table, left out (set systemname in asterisk.conf)"
    }
  }

  /// The kind as a key in JSON, such as `malformed_json`.
  public var key: String {
    switch self {
    case .emptyLinkedid: "empty_linkedid"
    case .unreadableTime: "unreadable_time"
    case .lastID: "last_id"
    case .unknownEvent: "unknown_event"
    case .missingChanStart: "missing_chan_start"
    case .malformedJSON: "malformed_json"
    case .unexpectedPayload: "unexpected_payload"
    case .unknownChannelName: "unknown_channel_name"
    case .unusableTenant: "unusable_tenant"
    case .secondTenant: "second_tenant"
    case .invalidUTF8: "invalid_utf8"
    case .nulCharacter: "nul_character"
    case .cutText: "cut_text"
    case .recordingUUIDTaken: "recording_uuid_taken"
    case .voidLink: "void_link"
    case .linkedidOfOtherTable: "linkedid_of_other_table"
    }
  }
}

/// The counts of flaws, with the ids of the first CELs of each kind.
public struct Tally: Sendable {
  private var counts = [Int](repeating: 0, count: Flaw.allCases.count)
  private var examples = [[Int64]](repeating: [], count: Flaw.allCases.count)

  /// The number of CHAN_STARTs. If it is 0, all events are unusable.
  public internal(set) var chanStarts = 0

  /// The number of ids that are kept for each kind.
  public static let exampleLimit = 5

  /// A tally without flaws.
  public init() {}

  /// Counts a flaw of the CEL `id`.
  public mutating func note(_ flaw: Flaw, _ id: Int64) {
    counts[flaw.rawValue] += 1
    if examples[flaw.rawValue].count < Tally.exampleLimit { examples[flaw.rawValue].append(id) }
  }

  /// The number of flaws of this kind.
  public subscript(flaw: Flaw) -> Int { counts[flaw.rawValue] }

  /// The ids of the first CELs with this flaw.
  public func examples(of flaw: Flaw) -> [Int64] { examples[flaw.rawValue] }

  /// The kinds with at least one flaw, in a fixed order.
  public var noted: [Flaw] { Flaw.allCases.filter { self[$0] > 0 } }

  /// Adds the counts of another tally.
  public mutating func add(_ other: Tally) {
    chanStarts += other.chanStarts
    for flaw in Flaw.allCases where other[flaw] > 0 {
      counts[flaw.rawValue] += other[flaw]
      let room = Tally.exampleLimit - examples[flaw.rawValue].count
      if room > 0 { examples[flaw.rawValue].append(contentsOf: other.examples(of: flaw).prefix(room)) }
    }
  }
}
