import Listing
import Values

/// What a request for statistics of call logs asks for.
public struct StatsParameters: Sendable {
  /// Which call logs: filters as those of a list. Nothing in it says whose.
  public let selection: CallLogSelection
  /// Whether call logs of the tenants below count. Those of "me" never do.
  public let isRecursive: Bool
  private let question: CallLogStatistics.Question

  /// How many callers and callees are listed at most.
  public static let mostTop: Int64 = 50

  /// Reads them.
  /// - Parameters:
  ///   - zone: the zone of periods, and of times that say none, where the request names none
  ///   - now: microseconds since 2000-01-01 UTC
  /// - Throws: ``APIError`` that names every bad parameter
  public init(
    _ query: QueryString, scope: ListScope, zone: CallLogStatistics.Zone, now: Timestamp
  ) throws(APIError) {
    var first = ParameterReader(query, zone: .utc)
    let named = first.zone("timezone")
    let zone = named ?? zone
    var reader = ParameterReader(query, zone: WallClock(named: zone.name) ?? .utc)
    _ = reader.zone("timezone")
    var selection = CallLogSelection()
    reader.readFilters(of: &selection, hasUsers: true)
    reader.readListFilters(of: &selection)
    if case .me(let user) = scope { selection.participant = user }
    self.selection = selection
    let recurse = reader.flag("recurse") ?? false
    if case .me = scope { isRecursive = false } else { isRecursive = recurse }
    let by = reader.unit("by")
    let parts = reader.parts("parts")
    let top = reader.count("top", upTo: StatsParameters.mostTop)
    question = CallLogStatistics.Question(
      by: by, zone: zone, parts: parts ?? Set(CallLogStatistics.Part.allCases),
      top: top.map { Int($0) } ?? CallLogStatistics.defaultTop, now: now)
    try reader.check()
  }

  /// Reads the statistics of call logs of these tenants, as the body of an answer.
  /// - Throws: ``APIError`` where the time has too many periods, and errors of the server
  public func answer(
    tenants: VisibleTenants, read: (CallLogQuery, CallLogStatistics.Question) throws -> CallLogStatistics
  ) throws -> JSONValue {
    do {
      let statistics = try read(CallLogQuery(tenants: tenants, selection), question)
      return statistics.json(in: question.zone)
    } catch let error as CallLogStatistics.TooManyPeriods {
      throw APIError.tooManyPeriods(error)
    }
  }
}

extension ParameterReader {
  fileprivate mutating func zone(_ name: String) -> CallLogStatistics.Zone? {
    guard let text = text(name) else { return nil }
    let zone = CallLogStatistics.Zone(named: text)
    if zone == nil { note(Problem(message: "Not a time zone of the IANA database, such as Europe/Paris."), name) }
    return zone
  }

  fileprivate mutating func unit(_ name: String) -> CallLogStatistics.Unit? {
    guard let text = text(name) else { return nil }
    let unit = CallLogStatistics.Unit(rawValue: text)
    if unit == nil { note(.choice(CallLogStatistics.Unit.allCases.map(\.rawValue)), name) }
    return unit
  }

  fileprivate mutating func parts(_ name: String) -> Set<CallLogStatistics.Part>? {
    guard let words = list(name) else { return nil }
    let parts = words.compactMap { CallLogStatistics.Part(rawValue: $0) }
    if parts.count < words.count { note(.choice(CallLogStatistics.Part.allCases.map(\.rawValue)), name) }
    return Set(parts)
  }
}

extension APIError {
  /// A time has more periods than are answered.
  public static func tooManyPeriods(_ error: CallLogStatistics.TooManyPeriods) -> APIError {
    let advice = "More than \(error.most) periods; choose a longer one than \(error.by.rawValue), or a shorter time."
    return .invalidData([JSONValue.Field("by", Problem(message: advice).details)])
  }
}

// MARK: The answer

extension CallLogStatistics {
  /// The body of an answer. Parts that were not asked for are left out.
  /// - Parameter zone: of its times
  public func json(in zone: Zone) -> JSONValue {
    var fields = [JSONValue.Field("timezone", .string(zone.name))]
    if let calls {
      fields += [
        JSONValue.Field("by", .string(calls.by.rawValue)),
        JSONValue.Field("from", calls.range.map { .string(zone.text($0.lowerBound)) } ?? .null),
        JSONValue.Field("until", calls.range.map { .string(zone.text($0.upperBound)) } ?? .null),
        JSONValue.Field("total", .object(calls.whole.fields(isWhole: true))),
        JSONValue.Field(
          "items",
          .list(
            calls.periods.map { period in
              .object(
                [
                  JSONValue.Field("start", .string(zone.text(period.start))),
                  JSONValue.Field("end", .string(zone.text(period.end))),
                ] + period.sums.fields(isWhole: false))
            })),
        JSONValue.Field("hours", .list(hours(of: calls))),
      ]
    }
    if let top {
      fields += [JSONValue.Field("callers", parties(top.callers)), JSONValue.Field("callees", parties(top.callees))]
    }
    return .object(fields)
  }

  private func hours(of calls: Calls) -> [JSONValue] {
    calls.hours.enumerated().flatMap { weekday, hours in
      hours.enumerated().map { hour, sums in
        // Monday is 1, as in ISO 8601.
        .object(
          [JSONValue.Field("weekday", .integer(Int64(weekday) + 1)), JSONValue.Field("hour", .integer(Int64(hour)))]
            + sums.fields(isWhole: false))
      }
    }
  }

  private func parties(_ parties: [Party]) -> JSONValue {
    .list(
      parties.map { party in
        .fields([
          "number": party.number.isEmpty ? .null : .string(party.number),
          "name": party.name.isEmpty ? .null : .string(party.name),
          "calls": .integer(party.total), "answered": .integer(party.answered),
        ])
      })
  }
}

extension CallLogStatistics.Sums {
  /// Calls and their statuses; seconds of talk where they are known.
  fileprivate func fields(isWhole: Bool) -> [JSONValue.Field] {
    var fields = [
      JSONValue.Field("calls", .integer(total)), JSONValue.Field("answered", .integer(answered)),
      JSONValue.Field("unknown", .integer(unknown)), JSONValue.Field("voicemail", .integer(voicemail)),
      JSONValue.Field("blocked", .integer(blocked)),
    ]
    if isWhole { fields.append(JSONValue.Field("answered_share", share.map { .number($0) } ?? .null)) }
    if let talk {
      fields.append(JSONValue.Field("talk_seconds", .number(Double(talk) / 1_000_000)))
      if isWhole {
        let average: JSONValue = answered > 0 ? .number(Double(talk) / 1_000_000 / Double(answered)) : .null
        fields.append(JSONValue.Field("average_talk_seconds", average))
      }
    }
    return fields
  }
}
