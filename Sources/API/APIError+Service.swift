// MARK: What the service cannot do now

extension APIError {
  /// There is no such path.
  public static let notFound = APIError(404, nil, "The requested URL was not found on the server.")

  /// The path has other methods.
  public static let methodNotAllowed = APIError(405, nil, "The method is not allowed for the requested URL.")

  /// A method that no path has.
  public static let methodUnknown = APIError(501, nil, "The service has no such method.")

  /// The body of a request is longer than the service takes.
  /// - Parameter limit: bytes
  public static func tooLarge(limit: Int) -> APIError {
    APIError(413, nil, "The body of the request has more than \(limit) bytes.")
  }

  /// The body of a request did not come in time.
  public static let tooSlow = APIError(408, nil, "The body of the request did not come in time.")

  /// A file has nothing of the range that is asked for.
  public static let rangeNotSatisfiable = APIError(416, nil, "The file has no such range.")

  /// Too many attempts with tokens that nobody knows.
  public static let tooManyAttempts = APIError(
    429, "too-many-attempts", "Too many attempts with unknown tokens; try again later")

  /// A fault of the service. The log says more.
  public static let fault = APIError(500, "internal-error", "The service failed; its log says why")

  /// More is asked than the service can do.
  public static let isBusy = APIError(503, "service-busy", "The service is busy; try again later")

  /// The service ends, or starts again.
  public static let isEnding = APIError(503, "service-ending", "The service is being stopped")

  /// The database does not answer.
  public static let databaseUnreachable = APIError(503, "database-unreachable", "The database cannot be reached")

  /// A query took too long.
  public static let queryTimeout = APIError(
    503, "query-timeout", "The query took too long; ask for a shorter time, from one date until another")
}
