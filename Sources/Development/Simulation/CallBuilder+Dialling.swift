extension CallBuilder {
  /// Two channels that talk.
  struct Conversation {
    var caller: Int
    var callee: Int
    var bridge: Bridge
  }

  /// The dialplan names the user for whom the call is.
  mutating func announce(_ user: SimulatedUser, on channel: Int, after delay: Int64? = nil) {
    place(channel, exten: "s", context: "user")
    userEvent(
      .destination, on: channel, after: delay ?? random.milliseconds(20, 250),
      "type: user,uuid: \(user.uuid),name: \(user.name)")
  }

  /// All lines of a user ring.
  ///
  /// - Returns: one channel for each line
  mutating func ring(_ user: SimulatedUser, from caller: Int, linked: Int = 0) -> [Int] {
    let targets = user.lines.map { Template("PJSIP/\($0.name)/sip:\($0.name)@10.20.0.4:5060").bytes }
    run("Dial", "\(Array(targets.joined(separator: [UInt8(ascii: "&")]))),,hHtT", on: caller)
    row(.appStart, on: caller)
    return user.lines.map { line in ringPhone(of: user, line: line, linked: linked) }
  }

  mutating func ringPhone(of user: SimulatedUser, line: SimulatedLine, linked: Int = 0) -> Int {
    let channel = start(
      "PJSIP/\(line.name)", name: user.name, number: user.exten, exten: Array("s".utf8),
      context: directory.tenants[user.tenant].internalContext, linked: linked)
    run("AppDial", "(Outgoing Line)", on: channel)
    return channel
  }

  /// Somebody answers one of the ringing telephones; the others stop.
  mutating func answer(
    _ ringing: [Int], from caller: Int, number: [UInt8], after delay: Int64
  ) -> Conversation {
    let callee = ringing[random.below(ringing.count)]
    looks[callee].ani = keep(number)
    row(.answer, on: callee, after: delay)
    row(.answer, on: caller)
    for other in ringing where other != callee { end(other, cause: 26) }
    return connect(caller, callee)
  }

  mutating func connect(_ caller: Int, _ callee: Int) -> Conversation {
    let bridge = bridge()
    looks[callee].exten = .empty
    // The one that enters first lists the other as its peer. That decides whether the caller counts
    // as answered.
    if random.chance(80) {
      enter(bridge, callee)
      enter(bridge, caller, peer: callee)
    } else {
      enter(bridge, caller)
      enter(bridge, callee, peer: caller)
    }
    return Conversation(caller: caller, callee: callee, bridge: bridge)
  }

  /// A user's telephone rings, and the user answers.
  mutating func reach(_ user: SimulatedUser, from caller: Int, linked: Int = 0) -> Conversation {
    announce(user, on: caller)
    let ringing = ring(user, from: caller, linked: linked)
    return answer(ringing, from: caller, number: user.exten, after: random.milliseconds(1500, 20_000))
  }

  /// A call goes out through the tenant's trunk.
  mutating func ringOutside(_ number: [UInt8], from caller: Int, in tenant: SimulatedTenant) -> Int {
    place(caller, exten: "dial", context: "outcall")
    userEvent(.outcall, on: caller, after: random.milliseconds(20, 300), "")
    run("Dial", "PJSIP/\(number)@\(tenant.trunk.name),,", on: caller)
    row(.appStart, on: caller)
    let trunk = start(
      "PJSIP/\(tenant.trunk.name)", name: Array("wazo".utf8), exten: Array("s".utf8), context: tenant.externalContext)
    looks[trunk].callerName = .empty
    looks[trunk].callerNumber = keep(number)
    looks[trunk].exten = keep("dial")
    run("AppDial", "(Outgoing Line)", on: trunk)
    return trunk
  }

  /// One of the two hangs up, and the call is over.
  mutating func hangUp(_ talk: Conversation, after delay: Int64) {
    let source = random.chance(50) ? talk.caller : talk.callee
    exit(talk.bridge, talk.callee, peer: talk.caller, after: delay)
    looks[talk.callee].exten = keep("s")
    end(talk.callee, by: source)
    exit(talk.bridge, talk.caller)
    end(talk.caller, by: source, status: "ANSWER")
    endLinkedid(on: talk.caller)
  }

  /// Telephones stop ringing unanswered.
  mutating func stopRinging(_ ringing: [Int], cause: Int = 0, after delay: Int64) {
    for (position, channel) in ringing.enumerated() {
      end(channel, cause: cause, by: cause == 17 ? channel : nil, after: position == 0 ? delay : nil)
    }
  }

  /// Wazo's dialplan forwards a call to a user, or to the user's mailbox.
  mutating func forward(to user: SimulatedUser, on channel: Int) {
    let context = directory.tenants[user.tenant].internalContext
    userEvent(.userForward, on: channel, "NUM:\(user.exten),CONTEXT:\(context),NAME:\(user.name)")
  }

  /// Wazo's dialplan notes a call that a user has missed.
  mutating func missed(by user: SimulatedUser, from source: SimulatedUser?, named name: [UInt8], on channel: Int) {
    userEvent(
      .missedCall, on: channel,
      """
      wazo_tenant_uuid: \(directory.tenants[user.tenant].uuid),source_user_uuid: \(source?.uuid ?? []),\
      destination_user_uuid: \(user.uuid),destination_exten: \(user.exten),source_name: \(percent: name),\
      destination_name: \(percent: user.name)
      """)
  }

  /// The caller's channel ends alone.
  mutating func endCaller(
    _ channel: Int, cause: Int = 16, by source: Int? = nil, status: StaticString = "", after delay: Int64? = nil
  ) {
    end(channel, cause: cause, by: source, status: status, after: delay)
    endLinkedid(on: channel)
  }
}
