/// Calls to more than one person: groups, conference rooms, meetings.
extension CallBuilder {
  /// All members ring at once: directly, or through a pair of Local channels each, by the group's
  /// setup.
  mutating func group(in tenant: SimulatedTenant, answered: Bool) {
    let group = random.pick(tenant.groups)
    let members = group.members.map { directory.users[$0] }
    let caller = user(in: tenant, besides: members)
    let channel = call(from: caller, dialling: group.exten)
    place(channel, exten: "s", context: "group")
    userEvent(
      .destination, on: channel, after: random.milliseconds(20, 250), "type: group,id: \(group.id),label: \(group.name)")
    place(channel, exten: "pickup", context: "xivo-pickup")
    row(.answer, on: channel)
    place(channel, exten: "s", context: "group")
    run("Queue", "grp-\(tenant.trunk.name)-\(group.id),,,,,,wazo-group-answered", on: channel)
    row(.appStart, on: channel, after: random.milliseconds(200, 1200))
    if group.id.isMultiple(of: 3) {
      ringByLocalChannels(members, of: group, caller: caller, on: channel, in: tenant, answered: answered)
    } else {
      let phones = members.map { ringPhone(of: $0, line: $0.lines[0]) }
      if answered {
        let talk = answerInGroup(phones, members: members, caller: channel)
        hangUp(talk, after: random.talk())
      } else {
        stopRinging(phones, cause: 26, after: random.milliseconds(20_000, 30_000))
        endCaller(channel, status: "NOANSWER")
      }
    }
  }

  private mutating func answerInGroup(_ phones: [Int], members: [SimulatedUser], caller: Int) -> Conversation {
    let index = random.below(phones.count)
    looks[phones[index]].ani = keep(members[index].exten)
    row(.answer, on: phones[index], after: random.milliseconds(1500, 20_000))
    for (position, phone) in phones.enumerated() where position != index { end(phone, cause: 26) }
    return connect(caller, phones[index])
  }

  private struct Member {
    var user: SimulatedUser
    var first: Int
    var second: Int
    var phone = 0
  }

  private mutating func ringByLocalChannels(
    _ users: [SimulatedUser], of group: SimulatedTenant.Room, caller: SimulatedUser, on channel: Int,
    in tenant: SimulatedTenant, answered: Bool
  ) {
    var members: [Member] = []
    for user in users {
      let (first, second) = startLocalPair(exten: user.uuid, context: "usersharedlines")
      looks[second].callerName = looks[channel].callerName
      looks[second].callerNumber = looks[channel].callerNumber
      looks[first].callerNumber = keep(group.exten)
      members.append(Member(user: user, first: first, second: second))
    }
    for member in members { allLines(of: member.user, on: member.second, in: tenant) }
    for index in members.indices {
      let line = members[index].user.lines[0]
      run("Dial", "PJSIP/\(line.name)/sip:\(line.name)@10.20.0.4:5060", on: members[index].second)
      row(.appStart, on: members[index].second)
      members[index].phone = ringPhone(of: members[index].user, line: line)
    }
    let ring = random.milliseconds(1500, 20_000)
    guard answered else {
      for (index, member) in members.enumerated() { stop(member, after: index == 0 ? ring + 10 * .second : nil) }
      endCaller(channel, status: "NOANSWER")
      return
    }
    let chosen = members.remove(at: random.below(members.count))
    looks[chosen.phone].ani = keep(chosen.user.exten)
    row(.answer, on: chosen.phone, after: ring)
    row(.answer, on: chosen.second)
    looks[chosen.first].callerName = keep(chosen.user.name)
    looks[chosen.first].callerNumber = keep(chosen.user.exten)
    row(.answer, on: chosen.first)
    let (inner, outer) = (bridge(), bridge())
    looks[chosen.phone].exten = .empty
    enter(inner, chosen.phone)
    enter(inner, chosen.second, peer: chosen.phone)
    enter(outer, chosen.first)
    enter(outer, channel, peer: chosen.first)
    for member in members { stop(member) }
    // The Local channels optimise themselves away.
    exit(inner, chosen.second, peer: chosen.phone)
    exit(inner, chosen.phone)
    exit(outer, chosen.first, peer: channel)
    enter(outer, chosen.phone, peer: channel)
    end(chosen.second, status: "ANSWER")
    end(chosen.first)
    hangUp(Conversation(caller: channel, callee: chosen.phone, bridge: outer), after: random.talk())
  }

  /// A member's telephone and Local channels end unanswered.
  private mutating func stop(_ member: Member, after delay: Int64? = nil) {
    end(member.first, cause: 26, after: delay)
    end(member.phone, cause: 26)
    end(member.second, status: "CANCEL")
  }

  /// The `;1` and `;2` of a Local channel.
  mutating func startLocalPair(exten: [UInt8], context: Template) -> (first: Int, second: Int) {
    let interface = Template("Local/\(exten)@\(context.bytes)")
    let first = start(interface, naming: .localFirst, exten: exten, context: context.bytes)
    let second = start(interface, naming: .localSecond, exten: exten, context: context.bytes)
    return (first, second)
  }

  mutating func allLines(of user: SimulatedUser, on channel: Int, in tenant: SimulatedTenant) {
    userEvent(.allLines, on: channel, "user_uuid:\(user.uuid),tenant_uuid:\(tenant.uuid)")
  }

  mutating func conference(in tenant: SimulatedTenant) {
    let room = random.pick(tenant.conferences)
    let channel = call(from: user(in: tenant), dialling: room.exten)
    looks[channel].dnid = .empty
    place(channel, exten: "s", context: "conference")
    userEvent(.conference, on: channel, " NAME: \(room.name)")
    place(channel, exten: "pickup", context: "xivo-pickup")
    row(.answer, on: channel)
    place(channel, exten: "s", context: "conference")
    userEvent(.destination, on: channel, "type: conference,id: \(room.id)")
    place(channel, exten: "\(room.exten)", context: "conference")
    stay(in: room, channel)
  }

  mutating func meeting(in tenant: SimulatedTenant) {
    let room = random.pick(tenant.meetings)
    let channel = call(from: user(in: tenant), dialling: room.exten)
    looks[channel].dnid = .empty
    place(channel, exten: "\(room.exten)", context: "wazo-meeting")
    userEvent(.meetingName, on: channel, "\(room.name)")
    place(channel, exten: "s", context: "wazo-meeting")
    userEvent(.destination, on: channel, "type: meeting,uuid: \(room.uuid),name: \(room.name)")
    place(channel, exten: "\(room.exten)", context: "wazo-meeting")
    row(.answer, on: channel)
    stay(in: room, channel)
  }

  /// All people in a room share its bridge; each call has its own linkedid.
  private mutating func stay(in room: SimulatedTenant.Room, _ channel: Int) {
    let bridge = bridge(id: room.uuid, "softmix")
    enter(bridge, channel, after: random.milliseconds(5, 2500))
    exit(bridge, channel, after: random.talk())
    endCaller(channel, by: channel)
  }
}
