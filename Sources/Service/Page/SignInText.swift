/// What the pages about signing in and out say, in one language.
struct SignInText: Sendable {
  let user, password, passwordHint, withToken: String
  let wrongPassword, tooManySessions, waitBefore, waitAfter: String
  let signedOut, signedOutHint, again: String
  let passwordsAway, away, awayHint, tryAgain: String

  static func of(_ text: PageText) -> SignInText { text.language == PageText.french.language ? french : english }

  static let english = SignInText(
    user: "User name", password: "Password",
    passwordHint: "Your name and password at Wazo. The password is not kept. The browser gets a cookie for 12 hours.",
    withToken: "Sign in with a token", wrongPassword: "The user name or the password is wrong.",
    tooManySessions: "You are signed in at Wazo in too many places. Sign out in one of them first.",
    waitBefore: "Too many attempts. Try again in", waitAfter: "seconds.", signedOut: "You are signed out",
    signedOutHint: "Your session has ended here and on the server.", again: "Sign in again",
    passwordsAway: "Names and passwords cannot be checked now. Try again in a moment.", away: "Not available now",
    awayHint: "The service cannot check who you are at the moment. Your session stays.", tryAgain: "Try again")

  static let french = SignInText(
    user: "Nom d’utilisateur", password: "Mot de passe",
    passwordHint: "Votre nom et votre mot de passe Wazo. Le mot de passe n’est pas conservé. "
      + "Le navigateur reçoit un cookie pour 12 heures.",
    withToken: "Se connecter avec un jeton", wrongPassword: "Le nom d’utilisateur ou le mot de passe est incorrect.",
    tooManySessions: "Vous êtes connecté à Wazo à trop d’endroits. Déconnectez-vous d’abord de l’un d’eux.",
    waitBefore: "Trop d’essais. Réessayez dans", waitAfter: "secondes.", signedOut: "Vous êtes déconnecté",
    signedOutHint: "Votre session est terminée ici et sur le serveur.", again: "Se reconnecter",
    passwordsAway: "Les noms et les mots de passe ne peuvent pas être vérifiés. Réessayez dans un instant.",
    away: "Indisponible pour le moment",
    awayHint: "Le service ne peut pas vérifier qui vous êtes pour le moment. Votre session reste ouverte.",
    tryAgain: "Réessayer")
}
