import Values

/// The owners of lines: users, lines, extensions, contexts and voicemails. It never changes after
/// init.
///
/// Wazo's program asks wazo-confd for each name. This type holds the answers for a whole run
/// (Interpretation, R104 to R107).
public final class Directory: @unchecked Sendable {
  // Unchecked: nothing changes after init. The arena is never emptied, so the texts stay valid.

  /// A user.
  public struct User {
    /// The user's uuid.
    public let uuid: UUIDValue
    /// The user's tenant; nil if it is not a UUID.
    public let tenant: UUIDValue?
    /// The tags (Interpretation, R77).
    public let tags: [Text]
    /// Whether a tag was cut to the 128 characters of its column.
    public let tagsWereCut: Bool
    /// The id of the user's first line.
    public let firstLineID: Int32?
  }

  /// A line.
  public struct Line {
    /// The line's id.
    public let id: Int32
    /// The line's first user; nil without one, or if the directory does not know that user.
    public let user: User?
    /// The first extension; NULL without one.
    public let exten: Text
    /// The context of the first extension; NULL without one.
    public let context: Text
  }

  /// A mailbox.
  public struct Voicemail {
    /// The mailbox's id.
    public let id: Int64
    /// The mailbox's number.
    public let number: Text
    /// The mailbox's context.
    public let context: Text
    /// The name of the mailbox.
    public let name: Text
    /// The mailbox's tenant. nil: the mailbox serves every tenant.
    public let tenant: UUIDValue?
  }

  private let arena: TextArena
  private let users: [UUIDValue: User]
  private let lines: [Line]
  private let lineNames: TextInterner
  private let contextNames: TextInterner
  private let contextTenants: [UUIDValue?]
  private let voicemails: [Voicemail]
  private let voicemailNumbers: TextInterner
  private let voicemailsByNumber: [[Int]]
  /// All tenants of the directory, in order.
  public let tenants: [UUIDValue]
  /// The tenant of calls that cannot be attributed to one; nil if the source does not name it.
  public let defaultTenant: UUIDValue?

  /// The numbers of users and lines, for the log.
  public var size: (users: Int, lines: Int) { (users.count, lines.count) }

  /// An empty directory. All calls belong to the default tenant and have no participants.
  public static let none = Directory(DirectoryContents())

  /// Builds the look-up tables. The first of equal names or uuids counts.
  public init(_ contents: DirectoryContents) {
    let arena = TextArena()
    self.arena = arena
    var users: [UUIDValue: User] = [:]
    var tenants: Set<UUIDValue> = Set(contents.tenants.compactMap { UUIDValue($0) })
    for user in contents.users {
      guard let uuid = UUIDValue(user.uuid), users[uuid] == nil else { continue }
      let tags = Directory.tags(user.userfield, arena)
      users[uuid] = User(
        uuid: uuid, tenant: UUIDValue(user.tenant), tags: tags.texts, tagsWereCut: tags.cut, firstLineID: user.lineIDs.first)
      if let tenant = UUIDValue(user.tenant) { tenants.insert(tenant) }
    }
    var lineNames = TextInterner()
    var lines: [Line] = []
    for line in contents.lines where !line.name.isEmpty {
      let name = arena.text(line.name)
      guard lineNames.find(name) == nil else { continue }
      _ = lineNames.number(of: name) { $0 }
      lines.append(
        Line(
          id: line.id, user: line.userUUID.flatMap { UUIDValue($0) }.flatMap { users[$0] }, exten: arena.text(line.exten),
          context: arena.text(line.context)))
    }
    var contextNames = TextInterner()
    var contextTenants: [UUIDValue?] = []
    for context in contents.contexts {
      let name = arena.text(context.name)
      guard contextNames.find(name) == nil else { continue }
      _ = contextNames.number(of: name) { $0 }
      contextTenants.append(UUIDValue(context.tenant))
      if let tenant = UUIDValue(context.tenant) { tenants.insert(tenant) }
    }
    var voicemailNumbers = TextInterner()
    var voicemailsByNumber: [[Int]] = []
    var voicemails: [Voicemail] = []
    for voicemail in contents.voicemails {
      let number = voicemailNumbers.number(of: arena.text(voicemail.number)) { $0 }
      if number == voicemailsByNumber.count { voicemailsByNumber.append([]) }
      voicemailsByNumber[number].append(voicemails.count)
      voicemails.append(
        Voicemail(
          id: voicemail.id, number: voicemailNumbers.texts[number], context: arena.text(voicemail.context),
          name: arena.text(voicemail.name),
          tenant: voicemail.tenant.flatMap { UUIDValue($0) }))
    }
    self.users = users
    self.lines = lines
    self.lineNames = lineNames
    self.contextNames = contextNames
    self.contextTenants = contextTenants
    self.voicemails = voicemails
    self.voicemailNumbers = voicemailNumbers
    self.voicemailsByNumber = voicemailsByNumber
    self.tenants = tenants.sorted()
    defaultTenant = contents.defaultTenant.flatMap { UUIDValue($0) }
  }

  /// The line of that name. The technology of the channel does not matter.
  public func line(named name: Text) -> Line? { lineNames.find(name).map { lines[$0] } }

  /// The user with that uuid.
  public func user(_ uuid: UUIDValue) -> User? { users[uuid] }

  /// The tenant of a context.
  public func tenant(ofContext name: Text) -> UUIDValue? { contextNames.find(name).flatMap { contextTenants[$0] } }

  /// The first mailbox of that number and tenant, in that context. An empty context stands for any
  /// (Interpretation, R107).
  public func voicemail(number: Text, context: Text, tenant: UUIDValue) -> Voicemail? {
    guard let found = voicemailNumbers.find(number) else { return nil }
    return voicemailsByNumber[found].lazy.map { self.voicemails[$0] }.first {
      ($0.tenant ?? tenant) == tenant && (context.isEmpty || $0.context == context)
    }
  }

  /// Interpretation, R77: the text is split at commas, and each piece is trimmed. An empty piece
  /// stays. An empty text gives no tags.
  private static func tags(_ userfield: String, _ arena: TextArena) -> (texts: [Text], cut: Bool) {
    guard !userfield.isEmpty else { return ([], false) }
    var cut = false
    let texts = userfield.split(separator: ",", omittingEmptySubsequences: false).map { piece in
      let whole = arena.text(String(piece)).trimmed
      let fitting = whole.cut(toCodePoints: 128)
      if fitting.count < whole.count { cut = true }
      return fitting
    }
    return (texts, cut)
  }
}
