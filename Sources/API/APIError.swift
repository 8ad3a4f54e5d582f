import Values

/// An answer that says why a request is not served, in the form of Wazo's services.
public struct APIError: Error, Equatable, Sendable {
  /// The HTTP status.
  public let status: Int
  /// What programs know the error by; nil for errors that arise before the service proper, such as
  /// a body that is no JSON. Those have a message and nothing else.
  public let id: String?
  /// What people read.
  public let message: String
  /// What it is about: always an object.
  public let details: JSONValue
  /// The kind of thing that it is about; nil mostly.
  public let resource: String?

  /// An error of these.
  public init(
    _ status: Int, _ id: String?, _ message: String, _ details: KeyValuePairs<String, JSONValue> = [:], resource: String? = nil
  ) {
    self.init(status, id, message, fields: details.map { JSONValue.Field($0.key, $0.value) }, resource: resource)
  }

  init(_ status: Int, _ id: String?, _ message: String, fields: [JSONValue.Field], resource: String? = nil) {
    (self.status, self.id, self.message, self.resource) = (status, id, message, resource)
    details = .object(fields)
  }

  /// The body of the answer.
  /// - Parameter time: seconds since 1970
  public func body(at time: Double) -> [UInt8] {
    guard let id else { return JSONValue.fields(["message": .string(message)]).bytes }
    var fields = [
      JSONValue.Field("message", .string(message)), JSONValue.Field("error_id", .string(id)),
      JSONValue.Field("details", details), JSONValue.Field("timestamp", .number(time)),
    ]
    if let resource { fields.append(JSONValue.Field("resource", .string(resource))) }
    return JSONValue.object(fields).bytes
  }
}

// MARK: What is wrong with a request

extension APIError {
  /// Parameters or fields of a body are bad.
  static func invalidData(_ problems: [JSONValue.Field]) -> APIError {
    APIError(400, "invalid-data", "Sent data is invalid", fields: problems)
  }

  /// A body is no JSON, or there is none where one is needed.
  public static let noJSON = APIError(400, nil, "The request has no body, or one that is no JSON.")

  /// The token has no user, and the request is about "me".
  public static let userNeeded = APIError(400, "token-with-user-uuid-required", "A valid token with a user UUID is required")

  /// Nothing that an export asks for has a recording.
  public static let nothingToExport = APIError(400, "no-recording-to-export", "No recording to export")
}

// MARK: Who asks

extension APIError {
  /// There is no token, or it is not valid.
  /// - Parameters:
  ///   - token: as it was sent; empty where none was
  ///   - access: what the request needs
  public static func unknownToken(_ token: String, access: String) -> APIError {
    APIError(
      401, "unauthorized", "Unauthorized",
      ["invalid_token": .string(token), "reason": "not_found_or_expired", "required_access": .string(access)])
  }

  /// The token does not give an access, or not for that tenant.
  /// - Parameter tenant: as the header names it; nil where there was no header
  public static func missingAccess(_ token: String, access: String, tenant: String?) -> APIError {
    APIError(
      401, "unauthorized", "Unauthorized",
      [
        "invalid_token": .string(token), "reason": "missing_permission_or_invalid_tenant", "required_access": .string(access),
        "tenant_uuid": tenant.map { .string($0) } ?? .null,
      ])
  }

  /// The token is not of the master tenant, which alone may do this.
  public static func notOfMaster(_ token: String) -> APIError {
    APIError(401, "unauthorized", "Unauthorized", ["invalid_token": .string(token)])
  }

  /// A tenant that the query names is not the token's, nor below it.
  public static func unauthorizedTenant(_ tenant: String) -> APIError {
    APIError(401, "unauthorized-tenant", "Unauthorized tenant", ["tenant_uuid": .string(tenant)])
  }

  /// The service that knows the tokens does not answer.
  public static func authenticationUnreachable(host: String, port: Int, reason: String) -> APIError {
    APIError(
      503, "authentication-server-unreachable", "Authentication server unreachable",
      ["auth_server_host": .string(host), "auth_server_port": .integer(Int64(port)), "original_error": .string(reason)])
  }

  /// The service does not know its own token yet.
  public static let notInitialized = APIError(503, "not-initialized", "wazo-call-logd is not initialized")
}

// MARK: What is not there

extension APIError {
  /// There is no call log of that id for whoever asks.
  public static func noCallLog(_ id: Int64) -> APIError {
    APIError(404, "cdr-not-found-with-given-id", "No CDR found matching this ID", ["cdr_id": .integer(id)])
  }

  /// The call log has no recording of that uuid.
  public static func noRecording(_ uuid: UUIDValue) -> APIError {
    APIError(404, "recording-not-found", "No recording found", ["recording_uuid": .uuid(uuid)])
  }

  /// The audio of a recording was deleted.
  public static func noMedia(_ uuid: UUIDValue) -> APIError {
    APIError(400, "recording-media-not-found", "No recording media found", ["recording_uuid": .uuid(uuid)])
  }

  /// The file of a recording is missing.
  /// - Parameter callLog: the call log's id, where several are asked for at once
  public static func mediaMissing(_ uuid: UUIDValue, path: String, callLog: Int64? = nil) -> APIError {
    media("recording-media-filesystem-not-found", "Recording media: not found on filesystem", uuid, path, callLog)
  }

  /// The file of a recording may not be read or removed.
  /// - Parameter callLog: the call log's id, where several are asked for at once
  public static func mediaForbidden(_ uuid: UUIDValue, path: String, callLog: Int64? = nil) -> APIError {
    media("recording-media-permission-denied", "Recording media: permission denied", uuid, path, callLog)
  }

  private static func media(_ id: String, _ message: String, _ uuid: UUIDValue, _ path: String, _ callLog: Int64?) -> APIError {
    var fields = [JSONValue.Field("recording_uuid", .uuid(uuid)), JSONValue.Field("recording_path", .string(path))]
    if let callLog { fields.append(JSONValue.Field("cdr_id", .integer(callLog))) }
    return APIError(500, id, message, fields: fields)
  }

  /// There is no export of that uuid for whoever asks.
  public static func noExport(_ uuid: UUIDValue) -> APIError {
    APIError(404, "export-not-found-with-given-uuid", "No export found matching this UUID", ["export_uuid": .uuid(uuid)])
  }

  /// An export is being made. It is no failure, and has its form.
  public static func exportNotDone(_ uuid: UUIDValue) -> APIError {
    APIError(202, "export-not-done-yet", "Export: not done yet", ["export_uuid": .uuid(uuid)])
  }

  /// An export could not be made.
  public static func exportFailed(_ uuid: UUIDValue) -> APIError {
    APIError(500, "export-error", "Error while creating the export", ["export_uuid": .uuid(uuid)])
  }

  /// The file of an export is missing.
  public static func exportMissing(_ uuid: UUIDValue, path: String) -> APIError {
    APIError(
      500, "export-filesystem-not-found", "Export: not found on filesystem",
      ["export_uuid": .uuid(uuid), "export_path": .string(path)])
  }

  /// The file of an export may not be read.
  public static func exportForbidden(_ uuid: UUIDValue, path: String) -> APIError {
    APIError(
      500, "export-permission-denied", "Export: permission denied", ["export_uuid": .uuid(uuid), "export_path": .string(path)])
  }
}

extension JSONValue: ExpressibleByStringLiteral {
  /// That string.
  public init(stringLiteral value: String) { self = .string(value) }
}
