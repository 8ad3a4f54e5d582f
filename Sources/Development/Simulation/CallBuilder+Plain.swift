/// Calls from one person to another, answered or not.
extension CallBuilder {
  mutating func internalAnswered(in tenant: SimulatedTenant) {
    hangUp(startInternal(in: tenant), after: random.talk())
  }

  private mutating func startInternal(in tenant: SimulatedTenant) -> Conversation {
    let caller = user(in: tenant)
    let callee = user(in: tenant, besides: [caller])
    return reach(callee, from: call(from: caller, dialling: callee.exten))
  }

  private mutating func startInbound(in tenant: SimulatedTenant) -> Conversation {
    let callee = user(in: tenant)
    let caller = callFromOutside(to: callee, in: tenant)
    incall(on: caller.channel, in: tenant)
    return reach(callee, from: caller.channel)
  }

  mutating func inboundAnswered(in tenant: SimulatedTenant) {
    hangUp(startInbound(in: tenant), after: random.talk())
  }

  mutating func outbound(in tenant: SimulatedTenant, answered: Bool) {
    let number = outsideNumber()
    let caller = call(from: user(in: tenant), dialling: number)
    let trunk = ringOutside(number, from: caller, in: tenant)
    if answered {
      let talk = answer([trunk], from: caller, number: number, after: random.milliseconds(3000, 15_000))
      hangUp(talk, after: random.talk())
    } else {
      stopRinging([trunk], after: random.milliseconds(8000, 35_000))
      endCaller(caller, cause: 127, by: caller, status: "CANCEL")
    }
  }

  /// The caller gives up, or the dialplan does after half a minute.
  mutating func unanswered(in tenant: SimulatedTenant) {
    let callee = user(in: tenant)
    let source: SimulatedUser?
    let channel: Int
    let name: [UInt8]
    if random.chance(50) {
      let caller = callFromOutside(to: callee, in: tenant)
      incall(on: caller.channel, in: tenant)
      (source, channel, name) = (nil, caller.channel, caller.name)
    } else {
      let caller = user(in: tenant, besides: [callee])
      (source, channel, name) = (caller, call(from: caller, dialling: callee.exten), caller.name)
    }
    announce(callee, on: channel)
    let ringing = ring(callee, from: channel)
    if random.chance(60) {
      stopRinging(ringing, after: random.milliseconds(2000, 28_000))
      endCaller(channel, cause: 127, by: channel, status: "CANCEL")
    } else {
      stopRinging(ringing, after: random.milliseconds(30_000, 30_020))
      missed(by: callee, from: source, named: name, on: channel)
      endCaller(channel, cause: 19, status: "NOANSWER")
    }
  }

  mutating func abandoned(in tenant: SimulatedTenant) {
    let caller = callFromOutside(to: user(in: tenant), in: tenant).channel
    looks[caller].dnid = .empty
    looks[caller].ani = .empty
    place(caller, exten: "s", context: "did")
    endCaller(caller, after: random.milliseconds(20, 200))
  }

  mutating func busy(in tenant: SimulatedTenant) {
    let caller = user(in: tenant)
    let callee = user(in: tenant, besides: [caller])
    let channel = call(from: caller, dialling: callee.exten)
    announce(callee, on: channel)
    stopRinging(ring(callee, from: channel), cause: 17, after: random.milliseconds(200, 3000))
    forward(to: callee, on: channel)
    missed(by: callee, from: caller, named: caller.name, on: channel)
    endCaller(channel, cause: 17, status: "BUSY")
  }

  /// The user has blocked the caller's number.
  mutating func blocked(in tenant: SimulatedTenant) {
    let callee = user(in: tenant)
    let caller = callFromOutside(to: callee, in: tenant)
    incall(on: caller.channel, in: tenant)
    place(caller.channel, exten: "s", context: "user")
    userEvent(
      .blockedCall, on: caller.channel, after: random.milliseconds(20, 300),
      """
      wazo_tenant_uuid: \(tenant.uuid), destination_user_uuid: \(callee.uuid), \
      blocked_caller_id_num: \(percent: caller.number), blocked_caller_id_name: \(percent: caller.name), \
      blocked_number_uuid: \(random.uuid())
      """)
    endCaller(caller.channel)
  }

  /// A recorded call. Half of them pause at least once; each part has the same file and a new
  /// mixmonitor id.
  mutating func recorded(in tenant: SimulatedTenant) {
    let talk = random.chance(50) ? startInbound(in: tenant) : startInternal(in: tenant)
    let channel = random.chance(70) ? talk.callee : talk.caller
    let file = Template("/var/lib/wazo/sounds/tenants/\(tenant.uuid)/monitor/\(random.uuid()).wav").bytes
    let pauses = random.chance(50) ? 0 : random.between(1, 3)
    for part in 0...pauses {
      let id = Template("0x\(random.word(12, letters: Array("0123456789abcdef".utf8)))").bytes
      let pause: Int64? = part == 0 ? nil : random.milliseconds(2000, 40_000)
      row(
        .mixMonitorStart, on: channel, after: pause, extra: keep("{\"filename\":\"\(file)\",\"mixmonitor_id\":\"\(id)\"}"))
      // The last part may go on until the channel ends, which leaves no stop.
      guard part < pauses || random.chance(60) else { break }
      row(
        .mixMonitorStop, on: channel, after: random.milliseconds(2000, 120_000), extra: keep("{\"mixmonitor_id\":\"\(id)\"}"))
    }
    hangUp(talk, after: random.milliseconds(100, 60_000))
  }

  /// The end of the call is missing, or its LINKEDID_END, or a CHAN_END. Only the last of these
  /// still gives a call log.
  mutating func unfinished(in tenant: SimulatedTenant) -> Bool {
    internalAnswered(in: tenant)
    switch random.below(3) {
    case 0:
      script.rows.removeLast()
      return false
    case 1:
      if let bridged = script.rows.lastIndex(where: { $0.event == .bridgeEnter }) {
        script.rows.removeSubrange((bridged + 1)...)
      }
      return false
    default:
      if let position = script.rows.firstIndex(where: { $0.event == .chanEnd }) { script.rows.remove(at: position) }
      return true
    }
  }

  /// A SIP chat message between two users.
  mutating func chat(in tenant: SimulatedTenant) -> Bool {
    let sender = user(in: tenant)
    let channel = start(
      "Message/ast_msg_queue", naming: .bare, name: sender.name, number: sender.exten,
      exten: user(in: tenant, besides: [sender]).exten, context: tenant.internalContext)
    run("MessageSend", "pjsip:\(sender.lines[0].name)", on: channel)
    row(.appStart, on: channel)
    endCaller(channel, cause: 0)
    return false
  }
}
