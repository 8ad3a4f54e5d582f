/// What was wrong with a CEL or a call log's text, counted by kind. The event is skipped or mended; its call stands.
public enum Flaw: Int, CaseIterable, Sendable {
  /// The row has no linkedid and so belongs to no call.
  case emptyLinkedid
  /// `eventtime` is missing, infinite or not a time.
  case unreadableTime
  /// The greatest id that there can be: ranges of ids that are done cannot hold it.
  case lastID
  /// Neither an event of Asterisk's nor one of Wazo's.
  case unknownEvent
  /// A channel without a CHAN_START: its rows are not read.
  case missingChanStart
  /// `extra` is not JSON.
  case malformedJSON
  /// `extra` is JSON but not what the event needs.
  case unexpectedPayload
  /// A channel name without a known technology or of another form: it takes part without being anyone.
  case unknownChannelName
  /// A tenant that is not a UUID: counts as not set.
  case unusableTenant
  /// A second tenant that differs from the first: ignored.
  case secondTenant
  /// Bytes that are not UTF-8, replaced by U+FFFD.
  case invalidUTF8
  /// U+0000, dropped.
  case nulCharacter
  /// Text longer than its column, cut.
  case cutText
  /// A recording whose uuid another call has: it got a derived one.
  case recordingUUIDTaken
  /// A CEL that points to a call log that is not there: the call logs' database went back in time, or another program deleted it. The call log is made.
  case voidLink
  /// A linkedid that a call of another CEL table has, whose call log stays: one of the Asterisks needs a `systemname`.
  case linkedidOfOtherTable

  /// The kind in a few words, for the counts at the end of a run.
  public var label: String {
    switch self {
    case .emptyLinkedid: "no linkedid"
    case .unreadableTime: "unreadable eventtime"
    case .lastID: "id that nothing can follow"
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
    case .voidLink: "call whose CELs point to a call log that was not there"
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

/// Counts of flaws, with the ids of the first few CELs of each kind.
public struct Tally: Sendable {
  private var counts = [Int](repeating: 0, count: Flaw.allCases.count)
  private var examples = [[Int64]](repeating: [], count: Flaw.allCases.count)

  /// How many CHAN_STARTs were read. Without any, something is wrong with all of the events.
  public internal(set) var chanStarts = 0

  /// How many ids are kept of each kind.
  public static let exampleLimit = 5

  /// Nothing counted.
  public init() {}

  /// Counts a flaw of the CEL with this id.
  public mutating func note(_ flaw: Flaw, _ id: Int64) {
    counts[flaw.rawValue] += 1
    if examples[flaw.rawValue].count < Tally.exampleLimit { examples[flaw.rawValue].append(id) }
  }

  /// How often a flaw was counted.
  public subscript(flaw: Flaw) -> Int { counts[flaw.rawValue] }

  /// The ids of the first few CELs with this flaw.
  public func examples(of flaw: Flaw) -> [Int64] { examples[flaw.rawValue] }

  /// The flaws that were counted, in a fixed order.
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
