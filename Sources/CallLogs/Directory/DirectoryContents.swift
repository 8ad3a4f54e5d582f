/// The content of a directory, as its source gives it. The order matters: the first of equal names
/// or uuids counts.
public struct DirectoryContents: Sendable {
  /// A user.
  public struct User: Sendable {
    /// The uuid as text.
    public var uuid: String
    /// The tenant's uuid as text.
    public var tenant: String
    /// Tags separated by commas.
    public var userfield: String
    /// The ids of the user's lines, main line first.
    public var lineIDs: [Int32]
    /// A user with these values.
    public init(uuid: String, tenant: String, userfield: String = "", lineIDs: [Int32] = []) {
      (self.uuid, self.tenant, self.userfield, self.lineIDs) = (uuid, tenant, userfield, lineIDs)
    }
  }

  /// A line with its main user and main extension.
  public struct Line: Sendable {
    /// The id.
    public var id: Int32
    /// The name, as in channel names.
    public var name: String
    /// The main user's uuid.
    public var userUUID: String?
    /// The main extension.
    public var exten: String?
    /// The main extension's context.
    public var context: String?
    /// A line with these values.
    public init(id: Int32, name: String, userUUID: String? = nil, exten: String? = nil, context: String? = nil) {
      (self.id, self.name, self.userUUID, self.exten, self.context) = (id, name, userUUID, exten, context)
    }
  }

  /// A context and its tenant.
  public struct Context: Sendable {
    /// The name.
    public var name: String
    /// The tenant's uuid as text.
    public var tenant: String
    /// A context with these values.
    public init(name: String, tenant: String) {
      (self.name, self.tenant) = (name, tenant)
    }
  }

  /// A mailbox.
  public struct Voicemail: Sendable {
    /// The id.
    public var id: Int64
    /// The number.
    public var number: String
    /// The context.
    public var context: String
    /// The full name.
    public var name: String
    /// The tenant's uuid as text; nil if unknown.
    public var tenant: String?
    /// A mailbox with these values.
    public init(id: Int64, number: String, context: String, name: String, tenant: String?) {
      (self.id, self.number, self.context, self.name, self.tenant) = (id, number, context, name, tenant)
    }
  }

  /// The users.
  public var users: [User] = []
  /// The lines.
  public var lines: [Line] = []
  /// The contexts.
  public var contexts: [Context] = []
  /// The mailboxes.
  public var voicemails: [Voicemail] = []
  /// Further tenants that the source lists.
  public var tenants: [String] = []
  /// The tenant of calls that cannot be attributed to one.
  public var defaultTenant: String?

  /// An empty directory.
  public init() {}
}
