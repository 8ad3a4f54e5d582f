import Foundation
import Values

extension DirectoryContents {
  /// Reads the JSON form of a directory: an object with the optional keys `users`, `lines`,
  /// `contexts`, `voicemails` and `default_tenant_uuid`.
  /// - Throws: ``DirectoryError`` with the faulty place
  public init(json: [UInt8]) throws(DirectoryError) {
    let file: File
    do {
      file = try JSONDecoder().decode(File.self, from: Data(json))
    } catch let error as DecodingError {
      throw DirectoryError(message: DirectoryContents.explain(error))
    } catch {
      throw DirectoryError(message: "\(error)")
    }
    self.init()
    defaultTenant = file.default_tenant_uuid
    if let tenant = defaultTenant, UUIDValue(tenant) == nil {
      throw DirectoryError(message: "default_tenant_uuid is not a UUID: \(tenant)")
    }
    users = try (file.users ?? []).enumerated().map { index, user throws(DirectoryError) in
      guard UUIDValue(user.uuid) != nil else { throw DirectoryError(message: "a user's uuid is not a UUID: \(user.uuid)") }
      let lineIDs = try (user.line_ids ?? []).map { id throws(DirectoryError) in
        try DirectoryContents.lineID(id, at: "users[\(index)].line_ids")
      }
      return User(uuid: user.uuid, tenant: user.tenant_uuid, userfield: user.userfield ?? "", lineIDs: lineIDs)
    }
    lines = try (file.lines ?? []).enumerated().map { index, line throws(DirectoryError) in
      Line(
        id: try DirectoryContents.lineID(line.id, at: "lines[\(index)].id"), name: line.name ?? "",
        userUUID: line.users?.first?.uuid, exten: line.extensions?.first?.exten, context: line.extensions?.first?.context)
    }
    contexts = (file.contexts ?? []).map { Context(name: $0.name, tenant: $0.tenant_uuid) }
    voicemails = (file.voicemails ?? []).map {
      Voicemail(id: $0.id, number: $0.number, context: $0.context, name: $0.name ?? "", tenant: $0.tenant_uuid)
    }
  }

  /// This check names the number. The decoder would only report "not valid JSON".
  private static func lineID(_ id: Int64, at place: String) throws(DirectoryError) -> Int32 {
    guard let fitting = Int32(exactly: id) else { throw DirectoryError(message: "\(place) is out of range: \(id)") }
    return fitting
  }

  private static func explain(_ error: DecodingError) -> String {
    func place(_ path: [any CodingKey]) -> String {
      let steps = path.map { key in key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }.joined()
      return steps.isEmpty ? "the top level" : String(steps.drop { $0 == "." })
    }
    switch error {
    case .keyNotFound(let key, let context): return "\(place(context.codingPath)) lacks \"\(key.stringValue)\""
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      return "\(place(context.codingPath)) is not of type \(type)"
    case .dataCorrupted(let context): return "not JSON: \(context.debugDescription)"
    @unknown default: return "\(error)"
    }
  }

  // The names are those of the file.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  private struct File: Decodable {
    struct User: Decodable {
      var uuid: String
      var tenant_uuid: String
      var userfield: String?
      var line_ids: [Int64]?
    }
    struct LineUser: Decodable {
      var uuid: String
    }
    struct Extension: Decodable {
      var exten: String
      var context: String
    }
    struct Line: Decodable {
      var id: Int64
      var name: String?
      var users: [LineUser]?
      var extensions: [Extension]?
    }
    struct Context: Decodable {
      var name: String
      var tenant_uuid: String
    }
    struct Voicemail: Decodable {
      var id: Int64
      var number: String
      var context: String
      var name: String?
      var tenant_uuid: String?
    }
    var users: [User]?
    var lines: [Line]?
    var contexts: [Context]?
    var voicemails: [Voicemail]?
    var default_tenant_uuid: String?
  }
}

/// An error in reading a directory.
public struct DirectoryError: Error, CustomStringConvertible {
  /// The problem and its place in the file.
  public let message: String
  /// The message.
  public var description: String { message }
}
