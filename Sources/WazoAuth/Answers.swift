import Foundation
import Values

/// Whose a token is, as wazo-auth says: `data` of an answer about a token.
struct TokenData: Sendable {
  let token: String
  let tenant: UUIDValue
  let user: UUIDValue?
  let owner: UUIDValue?
  /// When it was made; nil where that cannot be read.
  let issue: Timestamp?
  /// When it ceases to be valid; nil where that cannot be read.
  let expiry: Timestamp?

  /// Reads an answer; nil for any that does not name the token's tenant.
  init?(_ body: Data) {
    struct Answer: Decodable {
      struct Content: Decodable {
        var token: String
        var utcIssuedAt: String?
        var utcExpiresAt: String?
        var metadata: Metadata
      }
      struct Metadata: Decodable {
        var uuid: String?
        var tenantUuid: String
        var pbxUserUuid: String?
      }
      var data: Content
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let data = try? decoder.decode(Answer.self, from: body).data,
      let tenant = UUIDValue(data.metadata.tenantUuid)
    else { return nil }
    (self.token, self.tenant) = (data.token, tenant)
    user = data.metadata.pbxUserUuid.flatMap { UUIDValue($0) }
    owner = data.metadata.uuid.flatMap { UUIDValue($0) }
    issue = data.utcIssuedAt.flatMap(TokenData.time)
    expiry = data.utcExpiresAt.flatMap(TokenData.time)
  }

  /// wazo-auth writes UTC without saying so.
  private static func time(_ text: String) -> Timestamp? {
    var text = text
    return text.withUTF8 { bytes in
      switch TimestampText.parse(Text(UnsafeRawBufferPointer(bytes))) {
      case .instant(let time), .wallClock(let time): time
      case nil: nil
      }
    }
  }
}

/// The tenants of an answer about tenants.
enum TenantList {
  /// Their uuids; nil for an answer that is no list. An item without a uuid names no tenant.
  static func read(_ body: Data) -> [UUIDValue]? {
    struct Answer: Decodable {
      struct Item: Decodable {
        var uuid: String?
        init(from decoder: any Decoder) {
          uuid = try? decoder.container(keyedBy: Key.self).decode(String.self, forKey: .uuid)
        }
        enum Key: CodingKey { case uuid }
      }
      var items: [Item]
    }
    return try? JSONDecoder().decode(Answer.self, from: body).items.compactMap { $0.uuid.flatMap { UUIDValue($0) } }
  }
}
