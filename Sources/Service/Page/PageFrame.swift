import HTTPTypes
import Hummingbird

/// What all pages have in common.
struct PageFrame: Sendable {
  let text: PageText
  /// The way to the first page, such as `./`. Addresses are relative: a proxy may serve the page
  /// below any path.
  var root = "./"

  /// A whole page.
  func page(title: String, isSignedIn: Bool = false, head: Markup = "", _ content: Markup) -> Markup {
    let out: Markup = isSignedIn ? signOut : ""
    let skip: Markup = isSignedIn ? "<a class=\"skip\" href=\"#content\">\(text.skip)</a>" : ""
    return """
      <!doctype html>
      <html lang="\(text.language)">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(title)</title>
      <link rel="icon" href="data:,">
      <link rel="stylesheet" href="\(root)app.css">
      <link rel="stylesheet" href="\(root)timeline.css">
      \(head)
      </head>
      <body>
      \(skip)
      <header class="top"><a class="home" href="\(root)">\(text.title)</a>\(out)</header>
      <main id="content">
      \(content)
      </main>
      </body>
      </html>

      """
  }

  private var signOut: Markup {
    """
    <div class="tools"><button type="button" id="live" aria-pressed="false" hidden>\(text.live)</button>\
    <button type="button" id="help-button" hidden>\(text.help)</button>\
    <form method="post" action="\(root)session/end"><button>\(text.signOut)</button></form></div>
    """
  }

  /// A page that says one thing.
  func notice(_ title: String, _ message: String, isSignedIn: Bool = false) -> Markup {
    page(
      title: title, isSignedIn: isSignedIn,
      """
      <section class="notice"><h1>\(title)</h1><p role="alert">\(message)</p><p><a href="\(root)">\(text.back)</a></p></section>
      """)
  }

  static func response(_ page: Markup, _ status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"],
      body: Answers.body(Array(page.text.utf8)))
  }

  /// Headers of every answer beside the API's. Whatever gets into a page in spite of all, a browser
  /// runs nothing of it (Content Security Policy, level 3).
  static func protect(_ response: inout Response) {
    response.headers[PageFrame.policyName] = PageFrame.policy
    response.headers[PageFrame.referrerName] = "no-referrer"
    response.headers[.contentTypeOptions] = "nosniff"
  }

  private static let policyName = HTTPField.Name("Content-Security-Policy") ?? .server
  private static let referrerName = HTTPField.Name("Referrer-Policy") ?? .server
  static let policy = """
    default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; media-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'
    """
}
