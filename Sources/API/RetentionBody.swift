import Values

/// For how many days a tenant keeps what it has. What is not given falls back to the service's
/// default.
public struct RetentionBody: Equatable, Sendable {
  /// Days of call logs.
  public let callLogDays: Int32?
  /// Days of exports.
  public let exportDays: Int32?
  /// Days of recordings.
  public let recordingDays: Int32?

  /// Reads the body of a request that sets them. A field that is left out is set to none, and so is
  /// `null`; other keys are nobody's.
  /// - Throws: ``APIError`` that names every bad field. Recordings cannot be kept longer than their
  ///   call logs, as far as both are given
  public init(_ bytes: [UInt8]) throws(APIError) {
    let object = try RequestBody(bytes, allowsNothing: false).object
    var problems: [JSONValue.Field] = []
    callLogDays = RetentionBody.days("cdr_days", of: object, &problems)
    exportDays = RetentionBody.days("export_days", of: object, &problems)
    recordingDays = RetentionBody.days("recording_days", of: object, &problems)
    if problems.isEmpty, let callLogDays, let recordingDays, recordingDays > callLogDays {
      let problem = Problem(message: "recording_days must not be greater than cdr_days.")
      problems.append(JSONValue.Field("recording_days", problem.details))
    }
    if !problems.isEmpty { throw .invalidData(problems) }
  }

  private static func days(_ key: String, of object: JSONValue, _ problems: inout [JSONValue.Field]) -> Int32? {
    guard let value = object[key], value != .null else { return nil }
    let problem: Problem
    switch RequestBody.integer(value) {
    case .number(let number):
      if let days = Int32(exactly: number) { return days }
      problem = .above(Int64(Int32.max))
    case .tooGreat: problem = .above(Int64(Int32.max))
    case .negative: problem = .below(0)
    case nil: problem = .noInteger
    }
    problems.append(JSONValue.Field(key, problem.details))
    return nil
  }
}

/// What `GET /retention` answers.
public struct RetentionAnswer: Sendable {
  /// The tenant.
  public var tenant: UUIDValue
  /// What it has set: days of call logs, exports and recordings.
  public var days: (callLogs: Int32?, exports: Int32?, recordings: Int32?)
  /// What counts where it has set none.
  public var defaults: (callLogs: Int32?, exports: Int32?, recordings: Int32?)

  /// An answer of these.
  public init(
    tenant: UUIDValue, days: (callLogs: Int32?, exports: Int32?, recordings: Int32?),
    defaults: (callLogs: Int32?, exports: Int32?, recordings: Int32?)
  ) {
    (self.tenant, self.days, self.defaults) = (tenant, days, defaults)
  }

  /// The body.
  public var json: JSONValue {
    func number(_ days: Int32?) -> JSONValue { days.map { .integer(Int64($0)) } ?? .null }
    return .fields([
      "tenant_uuid": .uuid(tenant), "cdr_days": number(days.callLogs), "export_days": number(days.exports),
      "recording_days": number(days.recordings), "default_cdr_days": number(defaults.callLogs),
      "default_export_days": number(defaults.exports), "default_recording_days": number(defaults.recordings),
    ])
  }
}
