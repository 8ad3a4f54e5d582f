/// The page to sign in at, and those about it.
struct SignInPage: Sendable {
  let frame: PageFrame
  /// Whether names and passwords are known, too.
  let takesPasswords: Bool
  /// The page that is wanted.
  let goal: ReturnAddress
  /// Why one has to sign in; nil where there is nothing to say.
  var message: String?
  /// The name that was typed the last time. Passwords are typed anew.
  var user = ""
  /// Whether a token was typed the last time.
  var isOfToken = false
  /// Whether another site led here. Browsers keep the cookie back then, and send it when the page
  /// loads itself again.
  var comesFromElsewhere = false

  private var text: PageText { frame.text }
  private var own: SignInText { SignInText.of(frame.text) }

  var markup: Markup {
    let alert: Markup = message.map { "<p role=\"alert\" class=\"alert\">\($0)</p>" } ?? ""
    let refresh: Markup = comesFromElsewhere ? "<meta http-equiv=\"refresh\" content=\"0\">" : ""
    return frame.page(
      title: text.signIn, head: "\(SignInPage.style(frame))\(refresh)",
      """
      <section class="notice" id="sign-in">
      <h1>\(text.signIn)</h1>
      \(alert)
      \(takesPasswords ? passwordForm + folded(tokenForm) : tokenForm)
      </section>
      """)
  }

  private var passwordForm: Markup {
    let (first, second): (Markup, Markup) = user.isEmpty ? (" autofocus", "") : ("", " autofocus")
    return """
      <form method="post" action="\(frame.root)session">
      <input type="hidden" name="to" value="\(goal.text)">
      <label for="user">\(own.user)</label>
      <input id="user" name="user" value="\(user)" autocomplete="username" autocapitalize="none" spellcheck="false" required\(first)>
      <label for="password">\(own.password)</label>
      <input id="password" name="password" type="password" autocomplete="current-password" required\(second) aria-describedby="password-hint">
      <p id="password-hint" class="hint">\(own.passwordHint)</p>
      <button class="main">\(text.signInButton)</button>
      </form>

      """
  }

  private var tokenForm: Markup {
    let (focus, memory): (Markup, Markup) = takesPasswords ? ("", "off") : (" autofocus", "current-password")
    return """
      <form method="post" action="\(frame.root)session">
      <input type="hidden" name="to" value="\(goal.text)">
      <label for="token">\(text.token)</label>
      <input id="token" name="token" type="password" autocomplete="\(memory)" required\(focus) spellcheck="false" aria-describedby="hint">
      <p id="hint" class="hint">\(text.tokenHint)</p>
      <button class="main">\(text.signInButton)</button>
      </form>
      """
  }

  private func folded(_ form: Markup) -> Markup {
    let mark: Markup = isOfToken ? " open" : ""
    return "<details id=\"with-token\"\(mark)><summary>\(own.withToken)</summary>\(form)</details>"
  }

  // MARK: Other pages

  /// Says that nobody is signed in any more.
  static func signedOut(_ frame: PageFrame) -> Markup {
    let own = SignInText.of(frame.text)
    return frame.page(
      title: own.signedOut, head: style(frame),
      """
      <section class="notice" id="signed-out"><h1>\(own.signedOut)</h1><p role="status">\(own.signedOutHint)</p>
      <p><a class="button" href="\(frame.root)">\(own.again)</a></p></section>
      """)
  }

  /// Says that somebody who is signed in cannot be served now.
  static func away(_ frame: PageFrame, _ goal: ReturnAddress) -> Markup {
    let own = SignInText.of(frame.text)
    return frame.page(
      title: own.away, head: style(frame),
      """
      <section class="notice" id="away"><h1>\(own.away)</h1><p role="alert" class="alert">\(own.awayHint)</p>
      <p><a class="button" href="\(frame.root)\(goal.text)">\(own.tryAgain)</a></p></section>
      """)
  }

  private static func style(_ frame: PageFrame) -> Markup { "<link rel=\"stylesheet\" href=\"\(frame.root)sign-in.css\">" }
}
