import Crypto
import HTTPTypes
import Hummingbird

/// The style and the program of the page, which are parts of the program.
struct PageFile: Sendable {
  let path: String
  private let bytes: [UInt8]
  private let type: String
  private let tag: String

  static let all = [
    PageFile("/app.css", PackageResources.app_css, "text/css; charset=utf-8"),
    PageFile("/sign-in.css", PackageResources.sign_in_css, "text/css; charset=utf-8"),
    PageFile("/timeline.css", PackageResources.timeline_css, "text/css; charset=utf-8"),
    PageFile("/app.js", PackageResources.app_js, "text/javascript; charset=utf-8"),
    PageFile("/charts.css", PackageResources.charts_css, "text/css; charset=utf-8"),
    PageFile("/charts.js", PackageResources.charts_js, "text/javascript; charset=utf-8"),
    PageFile("/box.js", PackageResources.box_js, "text/javascript; charset=utf-8"),
    PageFile("/live.js", PackageResources.live_js, "text/javascript; charset=utf-8"),
  ]

  private init(_ path: String, _ bytes: [UInt8], _ type: String) {
    (self.path, self.bytes, self.type) = (path, bytes, type)
    tag = "\"" + SHA256.hash(data: bytes).prefix(12).map { String($0, radix: 16) }.joined(separator: "-") + "\""
  }

  /// The file; or nothing, where the browser has it.
  func response(_ request: Request) -> Response {
    let known = (request.headers[.ifNoneMatch] ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
    let headers: HTTPFields = [.eTag: tag, .cacheControl: "no-cache"]
    if known.contains(where: { $0 == tag || $0 == "W/" + tag || $0 == "*" }) {
      return Response(status: .notModified, headers: headers)
    }
    var response = Response(status: .ok, headers: headers, body: Answers.body(bytes))
    response.headers[.contentType] = type
    return response
  }
}
