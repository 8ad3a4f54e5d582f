import HTTPTypes
import Hummingbird

/// Lets pages of other sites use the API in a browser, as far as it is set (Fetch Standard, "CORS
/// protocol").
enum CrossOrigin {
  private static let methods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"

  static func add(to response: inout Response, _ request: Request, _ settings: SiteSettings.CrossOrigin) {
    guard settings.isEnabled, let origin = request.headers[.origin] else { return }
    if let origins = settings.origins {
      // Caches must not give one site's answer to another.
      response.headers[.vary] = "Origin"
      guard origins.contains(where: { $0.lowercased() == origin.lowercased() }) else { return }
      response.headers[.accessControlAllowOrigin] = origin
    } else {
      response.headers[.accessControlAllowOrigin] = "*"
    }
    guard request.method == .options, request.headers[.accessControlRequestMethod] != nil else { return }
    response.headers[.accessControlAllowMethods] = methods
    let asked = (request.headers[.accessControlRequestHeaders] ?? "").split(separator: ",").map { name in
      name.filter { $0 != " " }.lowercased()
    }
    let allowed = Set(settings.headers.map { $0.lowercased() })
    let headers = asked.filter(allowed.contains).sorted()
    if !headers.isEmpty { response.headers[.accessControlAllowHeaders] = headers.joined(separator: ", ") }
  }
}
