import API
import Authentication
import Testing
import Values

@Suite("What a request says of who asks")
struct CredentialsTests {
  private static func uuid(_ number: UInt64) -> UUIDValue { UUIDValue(high: 1, low: number) }
  private static let (own, below, foreign) = (uuid(1), uuid(2), uuid(3))

  private static let caller = Caller(
    tenant: own, tenants: VisibleTenants([own, below]) ?? VisibleTenants(own), user: nil,
    access: AccessList(["call-logd.cdr.read"]))

  private func credentials(
    _ query: String, _ use: Credentials.QueryUse = .tokenAndTenant, token: String? = "header", tenant: String? = nil
  ) -> Credentials {
    Credentials(QueryString(query), use, tokenHeader: token, tenantHeader: tenant)
  }

  private func refusal(_ body: () throws(APIError) -> Void) -> String {
    do {
      try body()
      return "accepted"
    } catch {
      return "\(error.status) \(error.id ?? "") \(String(decoding: error.details.bytes, as: UTF8.self))"
    }
  }

  @Test("the token of the query wins where it is read, and an empty one is none")
  func token() {
    #expect(credentials("token=query").token == "query")
    #expect(credentials("token=").token == "header" && credentials("").token == "header")
    #expect(credentials("token=query", .tenant).token == "header")
    #expect(credentials("token=query", .nothing, token: nil).token.isEmpty)
  }

  @Test("a token that is not valid is refused, and so is one without the access")
  func check() {
    #expect(
      refusal { () throws(APIError) in _ = try credentials("token=query").check(nil, access: "a.b") }
        == #"401 unauthorized {"invalid_token":"query","reason":"not_found_or_expired","required_access":"a.b"}"#)
    #expect(
      refusal { () throws(APIError) in _ = try credentials("").check(Self.caller, access: "a.b") }
        == #"401 unauthorized {"invalid_token":"header","reason":"missing_permission_or_invalid_tenant","required_access":"a.b","tenant_uuid":null}"#
    )
    #expect(
      refusal { () throws(APIError) in _ = try credentials("").check(Self.caller, access: "call-logd.cdr.read") } == "accepted")
  }

  @Test("a tenant of the header must be visible, even where the query names another; an empty one is none")
  func headerTenant() {
    for tenant in ["\(Self.foreign)", "nonsense"] {
      let text = refusal { () throws(APIError) in
        _ = try credentials("tenant=\(Self.own)", tenant: tenant).check(Self.caller, access: "call-logd.cdr.read")
      }
      #expect(text.hasSuffix(#""tenant_uuid":"\#(tenant)"}"#), "\(text)")
    }
    for tenant in ["\(Self.below)", "", nil] {
      let text = refusal { () throws(APIError) in
        _ = try credentials("", tenant: tenant).check(Self.caller, access: "call-logd.cdr.read")
      }
      #expect(text == "accepted")
    }
  }

  @Test("the tenants are those of the query, else of the header, else of the caller")
  func tenants() throws {
    let (caller, both) = (Self.caller, Self.caller.tenants)
    #expect(try credentials("").tenants(of: caller, isRecursive: false) == VisibleTenants(Self.own))
    #expect(try credentials("").tenants(of: caller, isRecursive: true) == both)
    #expect(try credentials("", tenant: "\(Self.below)").tenants(of: caller, isRecursive: true) == VisibleTenants(Self.below))
    let named = credentials("tenant=\(Self.own)", tenant: "\(Self.below)")
    #expect(try named.tenants(of: caller, isRecursive: false) == VisibleTenants(Self.own))
    let ignored = credentials("tenant=\(Self.foreign)", .nothing)
    #expect(try ignored.tenants(of: caller, isRecursive: false) == VisibleTenants(Self.own))
  }

  @Test("a tenant of the query that is not visible is refused, an empty one too", arguments: ["\(foreign)", "", "x", "%ff"])
  func queryTenant(tenant: String) {
    let shown = tenant == "%ff" ? "" : tenant
    let text = refusal { () throws(APIError) in
      _ = try credentials("tenant=\(tenant)").tenants(of: Self.caller, isRecursive: false)
    }
    #expect(text == #"401 unauthorized-tenant {"tenant_uuid":"\#(shown)"}"#)
  }
}

@Suite("Paths")
struct PathTests {
  @Test("an id is digits of a number that a call log can have; a uuid has its hyphens")
  func values() {
    #expect(PathValue.id("17") == 17 && PathValue.id("007") == 7 && PathValue.id("2147483647") == .max)
    for text in ["", "-1", "+1", "1.0", "2147483648", "x", "１", " 1"] { #expect(PathValue.id(text) == nil) }
    let uuid = UUIDValue(high: 0xABCD, low: 1)
    #expect(PathValue.uuid("\(uuid)".uppercased()) == uuid)
    for text in ["", "me", "\(uuid)".replacing("-", with: ""), "{\(uuid)}"] { #expect(PathValue.uuid(text) == nil) }
  }

  @Test("the access that a request needs holds the values of its path, uuids in small letters")
  func accesses() {
    let uuid = UUIDValue(high: 0xABCD, low: 1)
    #expect(RequiredAccess.readCallLog(17) == "call-logd.cdr.17.read")
    #expect(RequiredAccess.listCallLogs(ofUser: uuid) == "call-logd.users.\(uuid).cdr.read")
    #expect(RequiredAccess.readMedia(uuid, ofCallLog: 1) == "call-logd.cdr.1.recordings.\(uuid).media.read")
    #expect(RequiredAccess.readOwnMedia(uuid, ofCallLog: 1) == "call-logd.users.me.cdr.1.recordings.\(uuid).media.read")
    #expect(RequiredAccess.deleteMedia(uuid, ofCallLog: 1) == "call-logd.cdr.1.recordings.\(uuid).media.delete")
    #expect(RequiredAccess.downloadExport(uuid) == "call-logd.exports.\(uuid).download.read")
  }
}
