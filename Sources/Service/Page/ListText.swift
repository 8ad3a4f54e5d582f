import Listing

/// What the list, its box and its live rows say, in one language.
struct ListText: Sendable {
  /// What stands between groups of three digits.
  let separator: String
  let percent: @Sendable (_ share: String) -> String
  let answered: @Sendable (_ number: String, _ isOne: Bool) -> String
  let newestAnswered: @Sendable (_ calls: String, _ answered: String) -> String
  let counting, notCounted, countThem: String
  let newCall, newCalls: String
  let live, paused, lost, ended: String
  let pauseHint, resumeHint: String
  let copied, suggestions: String
  let keyCopy, keyBackspace, keyLive: String
  let noUser, tooManyUsers: String
  /// What the operators mean, by their keys with the colon.
  let operators: KeyValuePairs<String, String>

  static func of(_ text: PageText) -> ListText { text.language == french.language ? french : english }

  private let language: String

  /// A number with its digits in groups.
  func number(_ number: Int) -> String { number.grouped(by: separator) }

  /// How many were answered, with their share.
  func answered(_ tally: CallLogTally) -> String {
    guard tally.calls > 0 else { return "" }
    let share = percent(String((tally.answered * 200 + tally.calls) / (tally.calls * 2)))
    let number = number(tally.answered)
    let text = answered(number, tally.answered == 1) + " (\(share))"
    return tally.isMore ? newestAnswered(self.number(tally.calls), text) : text
  }
}

extension ListText {
  static let english = ListText(
    separator: ",", percent: { "\($0)%" }, answered: { number, _ in "\(number) answered" },
    newestAnswered: { "of the newest \($0), \($1)" }, counting: "Counting…", notCounted: "Too many to count now",
    countThem: "Count them", newCall: "1 new call", newCalls: "# new calls", live: "Live: new calls appear by themselves.",
    paused: "Paused: new calls are counted, and wait.", lost: "The connection is lost. The page tries again.",
    ended: "New calls no longer come by themselves. Load the page again.", pauseHint: "Pause new calls",
    resumeHint: "Show new calls as they come", copied: "Copied:", suggestions: "Suggestions",
    keyCopy: "copy the call’s number", keyBackspace: "at the beginning of the search box: remove the last condition",
    keyLive: "pause new calls, and go on", noUser: "No user of this name is known:",
    tooManyUsers: "Too many users have such a name. Write more of it:",
    operators: [
      "from:": "the caller’s number", "to:": "the number called", "number:": "either number", "is:": "what became of it",
      "dir:": "direction", "tag:": "a tag", "user:": "a user’s name", "has:": "what it has", "after:": "from this day on",
      "before:": "before this day", "conversation:": "one conversation",
    ], language: "en")

  static let french = ListText(
    separator: "\u{202F}", percent: { "\($0)\u{A0}%" }, answered: { "\($0) \($1 ? "répondu" : "répondus")" },
    newestAnswered: { "des \($0) derniers, \($1)" }, counting: "Comptage…", notCounted: "Trop d’appels pour les compter",
    countThem: "Les compter", newCall: "1 nouvel appel", newCalls: "# nouveaux appels",
    live: "Direct : les nouveaux appels s’affichent d’eux-mêmes.",
    paused: "En pause : les nouveaux appels sont comptés et attendent.",
    lost: "La connexion est perdue. La page réessaie.",
    ended: "Les nouveaux appels n’arrivent plus d’eux-mêmes. Rechargez la page.", pauseHint: "Suspendre les nouveaux appels",
    resumeHint: "Afficher les nouveaux appels dès leur arrivée", copied: "Copié :", suggestions: "Suggestions",
    keyCopy: "copier le numéro de l’appel", keyBackspace: "au début de la recherche : retirer la dernière condition",
    keyLive: "suspendre les nouveaux appels, et reprendre", noUser: "Aucun utilisateur connu de ce nom :",
    tooManyUsers: "Trop d’utilisateurs portent un tel nom. Précisez :",
    operators: [
      "from:": "le numéro de l’appelant", "to:": "le numéro appelé", "number:": "l’un des deux numéros",
      "is:": "ce qu’il en est advenu", "dir:": "le sens", "tag:": "une étiquette", "user:": "le nom d’un utilisateur",
      "has:": "ce qu’il contient", "after:": "à partir de ce jour", "before:": "avant ce jour",
      "conversation:": "une conversation",
    ], language: "fr")
}
