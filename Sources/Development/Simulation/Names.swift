/// Names of people as in real directories: with accents, quotes, apostrophes, commas, other
/// scripts.
enum Names {
  static let first: [String] = [
    "Alice", "Bob", "Charles", "Inès", "Renée", "Jean-François", "Zoé", "Noël", "Björn", "Łukasz", "Yusuf", "Mei", "Harry",
    "Olga", "Søren", "José", "Robert \"Bob\"", "Anne-Sophie", "Siân", "Ñusta", "Émile", "Jürgen", "Nadia", "Priya", "Tomáš",
    "Ewa", "Diego", "Chloé", "Liam", "Amélie",
  ]
  static let last: [String] = [
    "Tremblay", "Gagnon", "Roy", "Côté", "Müller", "Østergård", "García", "Lévesque", "Ōno", "Potter", "O'Neil", "Smith, Jr.",
    "Dupont", "Lavoie", "Nguyễn", "Kowalski", "van der Berg", "D'Amico", "Иванова", "Šimek", "Marley", "Çelik", "Byrne",
    "Fournier", "Ng", "Brown", "Bélanger", "Haddad",
  ]
  /// Names that outside callers send. SIP leaves backslashes before quotes in place.
  static let callers: [String] = [
    "ACME INC", "ØSTERGÅRD", "Müller, \\\"Uwe\\\" <sip>", "CITY OF MONTREAL", "Clinique St-Luc", "J. O'BRIEN", "Hôtel de l'Ouest",
    "ANONYMOUS", "Smith, John",
  ]
  /// Values of users' `userfield`, from which calls get their tags. Two users in five have none.
  static let userfields: [String?] = [
    "sales, paris", "sales", "support , tier2", "Montreal,Quebec", "Paris, France", "accounting", nil, nil, "", "",
  ]
  static let groups: [String] = ["Front desk", "Support", "Sales, north", "Accueil général", "Night shift", "group 6"]
  static let conferences: [String] = ["Weekly \"stand-up\"", "Comité d'entreprise", "myconference"]
  static let meetings: [String] = ["Budget 2027", "Entrevue, suite", "Meeting with Zoé"]
}
