import Listing
import Values

/// What the charts say, in one language.
struct ChartText: Sendable {
  let title, heat, share, who, callers, callees, calls, talk, average, table, period, weekday: String
  let busiest, noneInTime, tooLong, failed, again, loading, back, fewer, more, hint, number, tooMany: String
  let units: [CallLogStatistics.Unit: String]
  let headings: [CallLogStatistics.Unit: String]
  let months: [String]
  /// Between groups of three digits.
  let separator: String

  static func of(_ text: PageText) -> ChartText { text.language == "fr" ? french : english }

  // MARK: Numbers

  /// A number with its digits in groups of three.
  func number(_ number: Int64) -> String { number.grouped(by: separator) }

  /// A part in hundredths. Only none is 0 %, and only all is 100 %.
  func percent(_ share: Double?) -> String {
    guard let share else { return "–" }
    let hundredths = share <= 0 ? 0 : share >= 1 ? 100 : min(99, max(1, Int((share * 100).rounded())))
    return "\(hundredths)\u{A0}%"
  }

  /// A number of calls.
  func count(_ number: Int64, _ text: PageText) -> String {
    number == 1 ? "1\u{A0}\(text.one)" : "\(self.number(number))\u{A0}\(text.many)"
  }

  /// A long time in hours, and in minutes as long as they matter.
  func time(microseconds: Int64) -> String {
    let minutes = microseconds / 60_000_000
    if minutes == 0 { return "\(microseconds / 1_000_000)\u{A0}s" }
    if minutes < 60 { return "\(minutes)\u{A0}min" }
    let hours = "\(number(minutes / 60))\u{A0}h"
    return minutes < 6000 ? "\(hours) \(minutes % 60)\u{A0}min" : hours
  }

  // MARK: Times

  /// A day without its weekday.
  func day(_ date: CivilDate, year: Bool = true) -> String {
    "\(date.day) \(months[Int(clamping: date.month - 1)])\(year ? " \(date.year)" : "")"
  }
}

extension ChartText {
  static let english = ChartText(
    title: "Charts", heat: "Calls by weekday and hour", share: "Share answered", who: "Top callers and callees",
    callers: "Top callers", callees: "Top callees",
    calls: "Calls", talk: "Talk time", average: "on average", table: "As a table", period: "Time",
    weekday: "Weekday", busiest: "Busiest:",
    noneInTime: "There are no calls to draw.",
    tooLong: "This took too long. Choose a shorter time, from one date until another.", failed: "The charts could not be loaded.",
    again: "Try again", loading: "Loading…", back: "Back to the calls", fewer: "fewer", more: "more",
    hint: "A bar leads to its calls; drag, or Shift and arrow keys, for several.", number: "Number",
    tooMany: "There are too many bars. Choose longer ones, or a shorter time.",
    units: [.hour: "hour", .day: "day", .week: "week", .month: "month", .year: "year"],
    headings: [
      .hour: "Calls by hour", .day: "Calls by day", .week: "Calls by week", .month: "Calls by month", .year: "Calls by year",
    ], months: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], separator: ",")

  static let french = ChartText(
    title: "Graphiques", heat: "Appels par jour et heure", share: "Part des appels répondus",
    who: "Principaux appelants et appelés",
    callers: "Principaux appelants", callees: "Principaux appelés", calls: "Appels", talk: "Conversation",
    average: "en moyenne", table: "En tableau", period: "Période", weekday: "Jour", busiest: "Pointe :",
    noneInTime: "Il n’y a aucun appel à dessiner.",
    tooLong: "Cela a pris trop de temps. Choisissez une période plus courte, d’une date à une autre.",
    failed: "Les graphiques n’ont pas pu être chargés.", again: "Réessayer", loading: "Chargement…", back: "Retour aux appels",
    fewer: "moins", more: "plus",
    hint: "Une barre mène à ses appels ; glissez, ou Maj et flèches, pour plusieurs.",
    number: "Numéro", tooMany: "Il y a trop de barres. Choisissez-les plus longues, ou une période plus courte.",
    units: [.hour: "heure", .day: "jour", .week: "semaine", .month: "mois", .year: "année"],
    headings: [
      .hour: "Appels par heure", .day: "Appels par jour", .week: "Appels par semaine", .month: "Appels par mois",
      .year: "Appels par année",
    ],
    months: ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."],
    separator: "\u{202F}")
}
