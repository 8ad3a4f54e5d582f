/// Calls that do not end where the caller dialled: forwards, mailboxes, transfers, pickup.
extension CallBuilder {
  mutating func forwardedAlways(in tenant: SimulatedTenant) {
    let caller = user(in: tenant)
    let dialled = user(in: tenant, besides: [caller])
    let channel = call(from: caller, dialling: dialled.exten)
    announce(dialled, on: channel)
    forward(to: dialled, on: channel)
    missed(by: dialled, from: caller, named: caller.name, on: channel)
    redirect(channel, from: dialled, caller: caller, in: tenant)
  }

  mutating func forwardedUnanswered(in tenant: SimulatedTenant) {
    let caller = user(in: tenant)
    let dialled = user(in: tenant, besides: [caller])
    let channel = call(from: caller, dialling: dialled.exten)
    announce(dialled, on: channel)
    stopRinging(ring(dialled, from: channel), after: random.milliseconds(15_000, 25_000))
    forward(to: dialled, on: channel)
    missed(by: dialled, from: caller, named: caller.name, on: channel)
    redirect(channel, from: dialled, caller: caller, in: tenant)
  }

  /// The call goes on to a colleague, or to an outside number, which then is its caller id.
  private mutating func redirect(
    _ channel: Int, from dialled: SimulatedUser, caller: SimulatedUser, in tenant: SimulatedTenant
  ) {
    if random.chance(60) {
      hangUp(reach(user(in: tenant, besides: [caller, dialled]), from: channel), after: random.talk())
    } else {
      let number = outsideNumber()
      looks[channel].callerNumber = keep(number)
      let trunk = ringOutside(number, from: channel, in: tenant)
      hangUp(
        answer([trunk], from: channel, number: number, after: random.milliseconds(3000, 15_000)), after: random.talk())
    }
  }

  mutating func voicemail(in tenant: SimulatedTenant, inbound: Bool) {
    let callee = directory.users[random.pick(tenant.mailboxOwners)]
    let source: SimulatedUser?
    let channel: Int
    let name: [UInt8]
    if inbound {
      let caller = callFromOutside(to: callee, in: tenant)
      incall(on: caller.channel, in: tenant)
      (source, channel, name) = (nil, caller.channel, caller.name)
    } else {
      let caller = user(in: tenant, besides: [callee])
      (source, channel, name) = (caller, call(from: caller, dialling: callee.exten), caller.name)
    }
    announce(callee, on: channel)
    stopRinging(ring(callee, from: channel), after: random.milliseconds(15_000, 30_000))
    forward(to: callee, on: channel)
    missed(by: callee, from: source, named: name, on: channel)
    place(channel, exten: "pickup", context: "xivo-pickup")
    row(.answer, on: channel)
    place(channel, exten: "unreachable", context: "user")
    run("VoiceMail", "\(callee.exten)@\(tenant.internalContext),u", on: channel)
    row(.appStart, on: channel)
    endCaller(channel, by: channel, after: random.milliseconds(4000, 60_000))
  }

  /// A colleague dials *8 and the number that rings.
  mutating func pickup(in tenant: SimulatedTenant) {
    let caller = user(in: tenant)
    let dialled = user(in: tenant, besides: [caller])
    let colleague = user(in: tenant, besides: [caller, dialled])
    let channel = call(from: caller, dialling: dialled.exten)
    announce(dialled, on: channel)
    let ringing = ring(dialled, from: channel)
    let picker = call(
      from: colleague, dialling: Template("*8\(dialled.exten)").bytes, linked: looks.count,
      after: random.milliseconds(2000, 15_000))
    run("Pickup", "\(dialled.exten)%\(tenant.internalContext)@PICKUPMARK", on: picker)
    row(.answer, on: picker)
    row(.pickup, on: ringing[0], extra: keep("{\"pickup_channel\":\"\(name: picker)\"}"))
    for phone in ringing { end(phone, cause: 26) }
    row(.answer, on: channel)
    let bridge = bridge()
    enter(bridge, picker)
    row(.linkedidEnd, on: picker)
    enter(bridge, channel, peer: picker)
    looks[picker].linked = channel
    hangUp(Conversation(caller: channel, callee: picker, bridge: bridge), after: random.talk())
  }

  mutating func blindTransfer(in tenant: SimulatedTenant) {
    let caller = user(in: tenant)
    let dialled = user(in: tenant, besides: [caller])
    let target = user(in: tenant, besides: [caller, dialled])
    let channel = call(from: caller, dialling: dialled.exten)
    let talk = reach(dialled, from: channel)
    looks[talk.callee].exten = keep("s")
    row(
      .blindTransfer, on: talk.callee, after: random.talk() / 2,
      extra: keep(
        """
        {"extension":"\(target.exten)","context":"\(tenant.internalContext)","bridge_id":"\(talk.bridge.id)",\
        "transferee_channel_name":"\(name: channel)","transferee_channel_uniqueid":"\(uniqueid: channel)"}
        """))
    exit(talk.bridge, talk.callee, peer: channel)
    exit(talk.bridge, channel)
    end(talk.callee)
    hangUp(reach(target, from: channel), after: random.talk() / 2)
  }

  /// The called user consults a colleague on a second channel with another linkedid, and connects
  /// the two others.
  mutating func attendedTransfer(in tenant: SimulatedTenant) {
    let caller = user(in: tenant)
    let dialled = user(in: tenant, besides: [caller])
    let target = user(in: tenant, besides: [caller, dialled])
    let channel = call(from: caller, dialling: dialled.exten)
    let talk = reach(dialled, from: channel)
    let second = call(from: dialled, dialling: target.exten, linked: looks.count, after: random.talk() / 2)
    let consultation = reach(target, from: second, linked: second)

    looks[talk.callee].exten = keep("s")
    row(
      .attendedTransfer, on: talk.callee, after: random.milliseconds(3000, 40_000),
      extra: keep(
        """
        {"bridge1_id":"\(talk.bridge.id)","channel2_name":"\(name: second)","channel2_uniqueid":"\(uniqueid: second)",\
        "bridge2_id":"\(consultation.bridge.id)",\
        "transferee_channel_name":"\(name: channel)","transferee_channel_uniqueid":"\(uniqueid: channel)",\
        "transfer_target_channel_name":"\(name: consultation.callee)",\
        "transfer_target_channel_uniqueid":"\(uniqueid: consultation.callee)"}
        """))
    exit(consultation.bridge, consultation.callee)
    row(.linkedidEnd, on: consultation.callee)
    looks[second].linked = channel
    looks[consultation.callee].linked = channel
    row(
      .bridgeEnter, on: consultation.callee, extra: talk.bridge.extra, peer: keep("\(name: channel),\(name: talk.callee)"))
    row(
      .bridgeExit, on: talk.callee, extra: talk.bridge.extra, peer: keep("\(name: channel),\(name: consultation.callee)"))
    end(talk.callee)
    exit(consultation.bridge, second)
    end(second, status: "ANSWER")
    hangUp(Conversation(caller: channel, callee: consultation.callee, bridge: talk.bridge), after: random.talk() / 2)
  }
}
