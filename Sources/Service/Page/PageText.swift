import Hummingbird
import Values

/// What the page says, in one language.
struct PageText: Sendable {
  let language: String
  let title, signIn, token, tokenHint, signInButton, signOut, skip: String
  let unknownToken, missingAccess, sessionEnded, tooManyAttempts, tokensAway, otherSite: String
  let search, searchHint, searchButton, from, until, untilHint, direction, status: String
  let any, anyStatus, inbound, `internal`, outbound, answered, voicemail, blocked, missed: String
  let today, week, month, thisMonth, all, remove, reset: String
  let time, caller, callee, duration, tags, recording, recordings, deleted: String
  let nobody, unknown, noCalls, noCallsHint, notShown, next, first, csv, guideCSV: String
  let one, many, more, zone, help, keys, operators, close, live, newCalls, failed: String
  let call, back, start, answer, end, dialled, conversation, details, download, noCall, error: String
  let keySearch, keyMove, keyOpen, keyHelp: String
  let badOperator, badValue, twice, contradiction, badTime, openQuote, badZone, badText, badChoice, badPage: String
  let weekdays, months: [String]
  let day: @Sendable (_ weekday: String, _ day: Int64, _ month: String, _ year: Int64) -> String

  /// The language that a browser likes best, of those that there are.
  static func of(_ request: Request) -> PageText {
    PageText.of(accepted: request.headers[.acceptLanguage] ?? "")
  }

  /// - Parameter accepted: as `Accept-Language` (RFC 9110, 12.5.4)
  static func of(accepted: String) -> PageText {
    var (best, text) = (0.0, english)
    for part in accepted.split(separator: ",").prefix(50) {
      let pieces = part.split(separator: ";").map { $0.filter { $0 != " " } }
      guard let language = pieces.first?.lowercased().prefix(while: { $0 != "-" }) else { continue }
      let weight = pieces.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
      guard weight > best, let known = [english, french].first(where: { $0.language == language }) else { continue }
      (best, text) = (weight, known)
    }
    return text
  }

  /// A day with its weekday.
  func text(_ date: CivilDate) -> String {
    let days = date.daysSince1970 + 4
    let weekday = weekdays[Int(clamping: days - days.floorDivided(by: 7) * 7)]
    return day(weekday, date.day, months[Int(clamping: date.month - 1)], date.year)
  }
}

extension PageText {
  static let english = PageText(
    language: "en", title: "Calls", signIn: "Sign in", token: "Token",
    tokenHint: "A token of the service or of wazo-auth. It stays on the server: the browser gets a cookie for 12 hours.",
    signInButton: "Sign in", signOut: "Sign out", skip: "Skip to the calls",
    unknownToken: "This token is not known, or it has expired.", missingAccess: "This token gives no access to call logs.",
    sessionEnded: "Your session has ended. Sign in again.",
    tooManyAttempts: "Too many attempts with unknown tokens. Try again in a minute.",
    tokensAway: "Tokens cannot be checked now. Try again in a moment.",
    otherSite: "This form came from another site. Nothing was done.", search: "Search",
    searchHint: "Name or number, or from:101 is:missed tag:sales", searchButton: "Search", from: "From",
    until: "Until", untilHint: "No start: all calls. No end: until now.", direction: "Direction", status: "Status", any: "Any",
    anyStatus: "All but blocked", inbound: "Inbound", internal: "Internal", outbound: "Outbound", answered: "Answered",
    voicemail: "Voicemail", blocked: "Blocked", missed: "Missed", today: "Today", week: "7 days", month: "30 days",
    thisMonth: "This month", all: "All", remove: "Remove", reset: "Clear", time: "Time", caller: "Caller", callee: "Callee",
    duration: "Duration", tags: "Tags", recording: "Recording", recordings: "Recordings", deleted: "deleted", nobody: "unknown",
    unknown: "unknown", noCalls: "No calls",
    noCallsHint: "No call fits this search. Take a condition away, or choose other dates.",
    notShown: "No calls are shown until this is put right.", next: "Load more", first: "Newest calls", csv: "CSV",
    guideCSV: "CSV, short", one: "call", many: "calls", more: "more than", zone: "Times in", help: "Help", keys: "Keys",
    operators: "Operators", close: "Close", live: "Live", newCalls: "Show new calls", failed: "The calls could not be loaded.",
    call: "Call", back: "Back to the calls", start: "Start", answer: "Answer", end: "End", dialled: "Dialled",
    conversation: "Conversation", details: "Details", download: "Download", noCall: "There is no such call for you.",
    error: "This did not work", keySearch: "go to the search box", keyMove: "next and previous call", keyOpen: "open the call",
    keyHelp: "this help", badOperator: "is no operator. Put it in quotes to search for it.",
    badValue: "is not understood. Possible:",
    twice: "may stand there only once:", contradiction: "contradict each other:", badTime: "is no date with a time:",
    openQuote: "A quotation mark is not closed:", badZone: "is no time zone.", badText: "cannot be searched for.",
    badChoice: "is none of the choices.", badPage: "is no place in the list.",
    weekdays: ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
    months: [
      "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ], day: { "\($0), \($1) \($2) \($3)" })

  static let french = PageText(
    language: "fr", title: "Appels", signIn: "Connexion", token: "Jeton",
    tokenHint: "Un jeton du service ou de wazo-auth. Il reste sur le serveur : le navigateur reçoit un cookie pour 12 heures.",
    signInButton: "Se connecter", signOut: "Se déconnecter", skip: "Aller aux appels",
    unknownToken: "Ce jeton est inconnu ou a expiré.", missingAccess: "Ce jeton ne donne pas accès aux journaux d’appels.",
    sessionEnded: "Votre session est terminée. Reconnectez-vous.",
    tooManyAttempts: "Trop d’essais avec des jetons inconnus. Réessayez dans une minute.",
    tokensAway: "Les jetons ne peuvent pas être vérifiés. Réessayez dans un instant.",
    otherSite: "Ce formulaire vient d’un autre site. Rien n’a été fait.", search: "Rechercher",
    searchHint: "Nom ou numéro, ou from:101 is:missed tag:ventes", searchButton: "Rechercher", from: "Du",
    until: "Au", untilHint: "Sans début : tous les appels. Sans fin : jusqu’à maintenant.", direction: "Sens", status: "État",
    any: "Tous", anyStatus: "Tous sauf bloqués", inbound: "Entrant", internal: "Interne", outbound: "Sortant",
    answered: "Répondu", voicemail: "Messagerie", blocked: "Bloqué", missed: "Manqué", today: "Aujourd’hui", week: "7 jours",
    month: "30 jours", thisMonth: "Ce mois", all: "Tout", remove: "Retirer", reset: "Effacer", time: "Heure",
    caller: "Appelant", callee: "Appelé", duration: "Durée", tags: "Étiquettes", recording: "Enregistrement",
    recordings: "Enregistrements", deleted: "supprimé", nobody: "inconnu", unknown: "inconnu", noCalls: "Aucun appel",
    noCallsHint: "Aucun appel ne correspond. Retirez une condition ou choisissez d’autres dates.",
    notShown: "Aucun appel n’est affiché tant que ceci n’est pas corrigé.", next: "Plus d’appels", first: "Derniers appels",
    csv: "CSV", guideCSV: "CSV court", one: "appel", many: "appels", more: "plus de", zone: "Heures :", help: "Aide",
    keys: "Touches", operators: "Opérateurs", close: "Fermer", live: "Direct", newCalls: "Afficher les nouveaux appels",
    failed: "Les appels n’ont pas pu être chargés.", call: "Appel", back: "Retour aux appels", start: "Début",
    answer: "Réponse", end: "Fin", dialled: "Composé", conversation: "Conversation", details: "Détails",
    download: "Télécharger", noCall: "Cet appel n’existe pas pour vous.", error: "Cela n’a pas fonctionné",
    keySearch: "aller à la recherche", keyMove: "appel suivant et précédent", keyOpen: "ouvrir l’appel", keyHelp: "cette aide",
    badOperator: "n’est pas un opérateur. Mettez-le entre guillemets pour le chercher.",
    badValue: "n’est pas compris. Possible :", twice: "ne peut figurer qu’une fois :", contradiction: "se contredisent :",
    badTime: "n’est pas une date avec une heure :", openQuote: "Un guillemet n’est pas fermé :",
    badZone: "n’est pas un fuseau horaire.", badText: "ne peut pas être cherché.", badChoice: "n’est pas un choix.",
    badPage: "n’est pas un endroit de la liste.",
    weekdays: ["dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"],
    months: [
      "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ], day: { "\($0) \($1) \($2) \($3)" })
}
