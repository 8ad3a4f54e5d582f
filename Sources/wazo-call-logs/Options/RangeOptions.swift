import ArgumentParser
import CallLogs
import Generation
import Values

/// `--from` and `--to`: a range of dates.
struct DateOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "From this date or time on: 2025-03-01, 2025-03-01T10:00, or with an offset 2025-03-01T10:00+02:00. Without an offset it is local time.",
      valueName: "date"))
  var from: String?
  @Option(
    help: ArgumentHelp("Up to this date, with the whole day; or up to this time, which is itself excluded.", valueName: "date"))
  var to: String?

  /// Whether one of them is given.
  var isGiven: Bool { from != nil || to != nil }

  func validate() throws { _ = try bounds() }

  /// The range in microseconds since 2000-01-01 UTC, `to` excluded; nil for no bound.
  /// - Throws: `ValidationError` if a text is not a date, if the clocks skip or repeat a time, or
  ///   if the range is empty
  func bounds() throws -> (from: Int64?, to: Int64?) {
    let lower = try DateOptions.read("--from", from, as: .lower)
    let upper = try DateOptions.read("--to", to, as: .upper)
    if let lower, let upper, lower >= upper {
      throw ValidationError(
        lower == upper
          ? "nothing lies between --from \(from ?? "") and --to \(to ?? "") (a time as --to is itself excluded)"
          : "--from \(from ?? "") is later than --to \(to ?? "")")
    }
    return (lower, upper)
  }

  private static func read(_ option: String, _ text: String?, as bound: DateReading.Bound) throws -> Int64? {
    guard let text else { return nil }
    do {
      return try DateReading.microseconds(text, as: bound)
    } catch {
      throw ValidationError("\(option): \(error.message)")
    }
  }
}

/// A range of CELs: all, those between two ids, or those between two dates.
struct RangeOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: ArgumentHelp("The least CEL id of the range.", valueName: "id"))
  var fromId: Int64?
  @Option(parsing: .unconditional, help: ArgumentHelp("The greatest CEL id of the range, included.", valueName: "id"))
  var toId: Int64?
  @OptionGroup var dates: DateOptions

  /// Whether any bound is given.
  var isGiven: Bool { fromId != nil || toId != nil || dates.isGiven }

  func validate() throws {
    if dates.isGiven, fromId != nil || toId != nil {
      throw ValidationError("ids (--from-id, --to-id) and dates (--from, --to) exclude one another")
    }
    if let fromId, let toId, fromId > toId { throw ValidationError("--from-id is greater than --to-id") }
  }

  /// The CELs of the range; all of them without a bound.
  func scope() throws -> Scope {
    guard dates.isGiven else { return .ids(from: fromId, to: toId) }
    let (from, to) = try dates.bounds()
    return .dates(from: from, to: to)
  }
}
