import API
import Hummingbird
import Values

/// A path with a method, what it needs, and who answers.
struct Route: Sendable {
  /// A piece of a path.
  enum Piece: Equatable, Sendable {
    case word(String)
    /// The id of a call log. The name stands in documents only, and so do those of uuids.
    case id(String)
    case uuid(String)
  }

  /// What a request needs.
  enum Access: Sendable {
    /// Nothing: anybody may ask.
    case open
    /// An access in Wazo's language, which may depend on the path.
    case needed(@Sendable (PathValues) -> String)
  }

  let method: HTTPRequest.Method
  let pieces: [Piece]
  let access: Access
  /// Where the request may name its token and tenant.
  let queryUse: Credentials.QueryUse
  let answer: @Sendable (Visit) async throws -> Response

  /// A route.
  /// - Parameter path: below the prefix, such as `/cdr/{cdr_id}`: names that end with `_id` stand
  ///   for ids, others for uuids
  init(
    _ method: HTTPRequest.Method, _ path: String, _ access: Access, query: Credentials.QueryUse = .nothing,
    _ answer: @escaping @Sendable (Visit) async throws -> Response
  ) {
    self.method = method
    pieces = path.split(separator: "/").map { piece in
      guard piece.hasPrefix("{"), piece.hasSuffix("}") else { return .word(String(piece)) }
      let name = String(piece.dropFirst().dropLast())
      return name.hasSuffix("_id") ? .id(name) : .uuid(name)
    }
    (self.access, queryUse, self.answer) = (access, query, answer)
  }

  /// The path, with names for its values.
  var path: String {
    pieces.isEmpty
      ? "/"
      : pieces.map { piece in
        switch piece {
        case .word(let word): "/" + word
        case .id(let name), .uuid(let name): "/{\(name)}"
        }
      }.joined()
  }

  /// The values of a path; nil where it is another path.
  func values(of path: [String]) -> PathValues? {
    guard path.count == pieces.count else { return nil }
    var values = PathValues()
    for (piece, text) in zip(pieces, path) {
      switch piece {
      case .word(let word): guard text == word else { return nil }
      case .id:
        guard let id = PathValue.id(text) else { return nil }
        values.callLog = id
      case .uuid:
        guard let uuid = PathValue.uuid(text) else { return nil }
        values.uuid = uuid
      }
    }
    return values
  }
}

/// The values in a path. No path has two of a kind.
struct PathValues: Sendable {
  var callLog: Int32 = 0
  var uuid = UUIDValue(high: 0, low: 0)
}
