import Values

/// Who owns a line: users, lines, extensions, contexts and voicemails, looked up by name. Immutable once built.
///
/// The original asks wazo-confd for each name (specification, section 8); this holds the answers of a whole run.
public final class Directory: @unchecked Sendable {
  // Unchecked: nothing changes after init, and the arena, which is never emptied, keeps the bytes behind the texts alive.

  /// A user.
  public struct User {
    /// The user's uuid.
    public let uuid: UUIDValue
    /// The user's tenant, nil where it is not a UUID.
    public let tenant: UUIDValue?
    /// The tags: the pieces of the user's `userfield`.
    public let tags: [Text]
    /// Whether a tag was longer than its column (128 characters) and was cut.
    public let tagsWereCut: Bool
    /// The id of the user's first line.
    public let firstLineID: Int32?
  }

  /// A line.
  public struct Line {
    /// The line's id.
    public let id: Int32
    /// The line's first user, nil without one or where that user is unknown.
    public let user: User?
    /// The first extension, NULL without one.
    public let exten: Text
    /// The context of the first extension, NULL without one.
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
    /// The name people know it by.
    public let name: Text
    /// The tenant it belongs to; nil where the source does not say, then it serves every tenant.
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
  /// Every tenant that the directory mentions, in order.
  public let tenants: [UUIDValue]
  /// The tenant of calls that nothing else gives one, where the source of the directory names it.
  public let defaultTenant: UUIDValue?

  /// How many users and lines there are, for the log.
  public var size: (users: Int, lines: Int) { (users.count, lines.count) }

  /// A directory without anybody: every call goes to the default tenant, nobody takes part.
  public static let none = Directory(DirectoryContents())

  /// Builds the look-up tables. Of equal names or uuids the first counts.
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

  /// The line of that name; the technology plays no part.
  public func line(named name: Text) -> Line? { lineNames.find(name).map { lines[$0] } }

  /// The user with that uuid.
  public func user(_ uuid: UUIDValue) -> User? { users[uuid] }

  /// The tenant of the context of that name.
  public func tenant(ofContext name: Text) -> UUIDValue? { contextNames.find(name).flatMap { contextTenants[$0] } }

  /// The first mailbox of that number, in that context (any, where it is empty), of that tenant.
  public func voicemail(number: Text, context: Text, tenant: UUIDValue) -> Voicemail? {
    guard let found = voicemailNumbers.find(number) else { return nil }
    return voicemailsByNumber[found].lazy.map { self.voicemails[$0] }.first {
      ($0.tenant ?? tenant) == tenant && (context.isEmpty || $0.context == context)
    }
  }

  /// Specification, section 8.2: split at commas, each piece trimmed; an empty piece stays; nothing for an empty field.
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
