import API
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

extension HTTPField.Name {
  static let authToken = name("X-Auth-Token")
  static let tenant = name("Wazo-Tenant")
  static let scriptName = name("X-Script-Name")
  static let contentTypeOptions = name("X-Content-Type-Options")

  /// The names above are names of headers; another word would be a mistake of this file.
  private static func name(_ name: String) -> HTTPField.Name { HTTPField.Name(name) ?? .server }
}

/// Forms of answers.
enum Answers {
  static func json(_ value: JSONValue, _ status: HTTPResponse.Status = .ok) -> Response { json(value.bytes, status) }

  static func json(_ bytes: [UInt8], _ status: HTTPResponse.Status = .ok) -> Response {
    Response(status: status, headers: [.contentType: "application/json"], body: body(bytes))
  }

  static func body(_ bytes: [UInt8]) -> ResponseBody { ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)) }

  static let nothing = Response(status: .noContent)

  /// An error, in the form of Wazo's services. Whoever may try again learns when.
  static func error(_ error: APIError) -> Response {
    // A path that nobody has gets a page for people.
    if error == .notFound {
      let page = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>\(error.message)</p>\n"
      return Response(
        status: .notFound, headers: [.contentType: "text/html; charset=utf-8"], body: body(Array(page.utf8)))
    }
    var response = json(
      error.body(at: Date().timeIntervalSince1970), HTTPResponse.Status(code: error.status, reasonPhrase: ""))
    response.status = HTTPResponse.Status(code: error.status)
    switch error.status {
    case 503: response.headers[.retryAfter] = "5"
    case 429: response.headers[.retryAfter] = "60"
    default: break
    }
    return response
  }
}
