/// A tenant with its telephone numbers and rooms.
struct SimulatedTenant: Sendable {
  var uuid: [UInt8]
  var internalContext: [UInt8]
  var externalContext: [UInt8]
  var trunk: SimulatedLine
  /// Its users, as indices into the directory.
  var users: Range<Int>
  /// Users with a mailbox.
  var mailboxOwners: [Int] = []
  var groups: [Room] = []
  var conferences: [Room] = []
  var meetings: [Room] = []

  /// A group, a conference room or a meeting.
  struct Room: Sendable {
    var id: Int
    var uuid: [UInt8]
    var name: [UInt8]
    var exten: [UInt8]
    /// Users of a group.
    var members: [Int] = []
  }
}

/// A telephone line. The trunk of a tenant is a line without a user.
struct SimulatedLine: Sendable {
  var id: Int
  var name: [UInt8]
}

/// A person with one telephone or two.
struct SimulatedUser: Sendable {
  var uuid: [UInt8]
  var tenant: Int
  var firstName: [UInt8]
  var lastName: [UInt8]
  var name: [UInt8]
  var userfield: [UInt8]?
  var exten: [UInt8]
  var lines: [SimulatedLine]
  /// Id of the mailbox, which has the number of the user.
  var mailbox: Int?
}

/// The people and things that calls involve: tenants, users, lines, mailboxes, groups.
struct SimulatedDirectory: Sendable {
  /// The tenant of the system itself, which has no users.
  let masterTenant: [UInt8]
  private(set) var tenants: [SimulatedTenant] = []
  private(set) var users: [SimulatedUser] = []

  init(users userCount: Int, tenants tenantCount: Int, random: inout RandomSource) {
    masterTenant = random.uuid()
    var names = LineNames()
    var mailboxes = 0
    for index in 0..<tenantCount {
      let slug = names.unused(5, letters: LineNames.letters, using: &random)
      let range = (userCount * index / tenantCount)..<(userCount * (index + 1) / tenantCount)
      var tenant = SimulatedTenant(
        uuid: random.uuid(), internalContext: Template("default-key-\(slug)-internal").bytes,
        externalContext: Template("default-key-\(slug)-from-extern").bytes,
        trunk: SimulatedLine(id: 0, name: Template("trunk\(slug)").bytes), users: range)
      let thousand = Self.thousand(for: range.count)
      for number in range {
        var user = Self.user(exten: thousand + number - range.lowerBound, tenant: index, names: &names, random: &random)
        if number == range.lowerBound || random.chance(60) {
          mailboxes += 1
          user.mailbox = mailboxes
          tenant.mailboxOwners.append(number)
        }
        users.append(user)
      }
      tenant.trunk.id = names.nextLine()
      tenants.append(tenant)
    }
    for index in tenants.indices { addRooms(to: &tenants[index], number: index, random: &random) }
  }

  /// Where numbers begin: users at 1000, or at 10000 if 1000 numbers are not enough, and so on;
  /// groups at twice that, conference rooms at three times that.
  private static func thousand(for users: Int) -> Int {
    var thousand = 1000
    while users > thousand { thousand *= 10 }
    return thousand
  }

  private static func user(
    exten: Int, tenant: Int, names: inout LineNames, random: inout RandomSource
  ) -> SimulatedUser {
    let (first, last) = (random.pick(Names.first), random.pick(Names.last))
    return SimulatedUser(
      uuid: random.uuid(), tenant: tenant, firstName: Array(first.utf8), lastName: Array(last.utf8),
      name: Array("\(first) \(last)".utf8), userfield: random.pick(Names.userfields).map { Array($0.utf8) },
      exten: Array(String(exten).utf8),
      lines: (0..<(random.chance(10) ? 2 : 1)).map { _ in
        SimulatedLine(id: names.nextLine(), name: names.unused(8, letters: LineNames.alphanumerics, using: &random))
      })
  }

  private func addRooms(to tenant: inout SimulatedTenant, number: Int, random: inout RandomSource) {
    let thousand = Self.thousand(for: tenant.users.count)
    for (index, name) in Names.groups.enumerated() {
      var members = Array(tenant.users)
      members = (0..<random.between(2, 4)).map { _ in members.remove(at: random.below(members.count)) }
      tenant.groups.append(
        .init(
          id: number * Names.groups.count + index + 1, uuid: random.uuid(), name: Array(name.utf8),
          exten: Array(String(2 * thousand + index).utf8), members: members))
    }
    tenant.conferences = Names.conferences.enumerated().map { index, name in
      .init(
        id: number * Names.conferences.count + index + 1, uuid: random.uuid(), name: Array(name.utf8),
        exten: Array(String(3 * thousand + index).utf8))
    }
    tenant.meetings = Names.meetings.map { name in
      let uuid = random.uuid()
      return .init(id: 0, uuid: uuid, name: Array(name.utf8), exten: Template("wazo-meeting-\(uuid)").bytes)
    }
  }
}

/// Ids and names for lines, each given once.
private struct LineNames {
  static let letters = Array("abcdefghijklmnopqrstuvwxyz".utf8)
  static let alphanumerics = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)

  private var lines = 0
  private var taken: Set<[UInt8]> = []

  mutating func nextLine() -> Int {
    lines += 1
    return lines
  }

  mutating func unused(_ count: Int, letters: [UInt8], using random: inout RandomSource) -> [UInt8] {
    var name = random.word(count, letters: letters)
    while !taken.insert(name).inserted { name = random.word(count, letters: letters) }
    return name
  }
}
