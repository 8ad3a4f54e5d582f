/// Writes the script of one call after another. This file has the single steps; the extensions
/// combine them.
struct CallBuilder {
  let directory: SimulatedDirectory
  var random: RandomSource
  var script = CallScript()
  /// The present column values of each channel. A row copies them.
  var looks: [ChannelLook] = []
  /// The call's `userfield`, the same on all its channels.
  private var userfield = Text.empty

  init(directory: SimulatedDirectory, random: RandomSource) {
    self.directory = directory
    self.random = random
  }

  /// Replaces `script` by a call of this kind with the given start.
  ///
  /// - Returns: whether the CELs should give a call log
  mutating func build(_ kind: CallKind, at time: Int64) -> Bool {
    script.reset(time: time)
    script.absentExtraIsNull = random.chance(25)
    looks.removeAll(keepingCapacity: true)
    userfield = random.chance(3) ? keep("case-\(random.below(10_000))") : .empty
    let tenant = directory.tenants[random.below(directory.tenants.count)]
    switch kind {
    case .internalAnswered: internalAnswered(in: tenant)
    case .inboundAnswered: inboundAnswered(in: tenant)
    case .outboundAnswered: outbound(in: tenant, answered: true)
    case .outboundUnanswered: outbound(in: tenant, answered: false)
    case .unanswered: unanswered(in: tenant)
    case .abandoned: abandoned(in: tenant)
    case .busy: busy(in: tenant)
    case .forwardedAlways: forwardedAlways(in: tenant)
    case .forwardedUnanswered: forwardedUnanswered(in: tenant)
    case .group: group(in: tenant, answered: true)
    case .groupUnanswered: group(in: tenant, answered: false)
    case .inboundVoicemail: voicemail(in: tenant, inbound: true)
    case .internalVoicemail: voicemail(in: tenant, inbound: false)
    case .conference: conference(in: tenant)
    case .meeting: meeting(in: tenant)
    case .pickup: pickup(in: tenant)
    case .attendedTransfer: attendedTransfer(in: tenant)
    case .blindTransfer: blindTransfer(in: tenant)
    case .originate: return originate(in: tenant)
    case .recorded: recorded(in: tenant)
    case .blocked: blocked(in: tenant)
    case .mobile: mobile(in: tenant)
    case .unfinished: return unfinished(in: tenant)
    case .chat: return chat(in: tenant)
    }
    return true
  }

  mutating func keep(_ template: Template) -> Text {
    script.keep(template.bytes)
  }

  mutating func keep(_ text: [UInt8]) -> Text {
    script.keep(text)
  }

  // MARK: Rows

  /// Adds a CEL with the present column values of the channel.
  ///
  /// - Parameter delay: microseconds since the last CEL; nil for the few milliseconds that Asterisk
  ///   needs
  mutating func row(
    _ event: CELEvent, on channel: Int, after delay: Int64? = nil, extra: Text = .empty, peer: Text = .empty
  ) {
    let delay = delay ?? Int64(random.between(300, 3500))
    script.rows.append(
      ScriptRow(delay: delay, event: event, channel: channel, look: looks[channel], extra: extra, peer: peer))
  }

  /// Adds a user event of the dialplan, with its payload in `appdata` and in `extra`.
  mutating func userEvent(_ event: CELEvent, on channel: Int, after delay: Int64? = nil, _ payload: Template) {
    let before = looks[channel]
    looks[channel].application = keep("CELGenUserEvent")
    looks[channel].applicationData = keep("\(event.name),\(payload.bytes)")
    row(event, on: channel, after: delay, extra: keep("{\"extra\":\"\(json: payload.bytes)\"}"))
    looks[channel] = before
  }

  // MARK: Channels

  /// Adds a channel and its CHAN_START. The first channel of the script gives the linkedid, unless
  /// `linked` names another one.
  mutating func start(
    _ interface: Template, naming: ScriptChannel.Naming = .numbered, name: [UInt8] = [], number: [UInt8] = [],
    exten: [UInt8], context: [UInt8], linked: Int = 0, after delay: Int64? = nil
  ) -> Int {
    let channel = looks.count
    script.channels.append(ScriptChannel(interface: keep(interface), naming: naming))
    looks.append(
      ChannelLook(
        callerName: keep(name), callerNumber: keep(number), exten: keep(exten), context: keep(context), userfield: userfield,
        linked: linked))
    row(.chanStart, on: channel, after: channel == 0 ? 0 : delay)
    return channel
  }

  /// A user dials.
  mutating func call(
    from user: SimulatedUser, dialling exten: [UInt8], linked: Int = 0, after delay: Int64? = nil
  ) -> Int {
    let context = directory.tenants[user.tenant].internalContext
    let channel = start(
      "PJSIP/\(user.lines[0].name)", name: user.name, number: user.exten, exten: exten, context: context, linked: linked,
      after: delay)
    looks[channel].ani = looks[channel].callerNumber
    looks[channel].dnid = looks[channel].exten
    return channel
  }

  /// Somebody outside dials a number of the tenant.
  mutating func callFromOutside(to user: SimulatedUser, in tenant: SimulatedTenant) -> OutsideCall {
    let number = outsideNumber()
    let name = random.chance(60) ? number : Array(random.pick(Names.callers).utf8)
    let did = Template("514\(user.exten)").bytes
    let channel = start(
      "PJSIP/\(tenant.trunk.name)", name: name, number: number, exten: did, context: tenant.externalContext)
    looks[channel].ani = looks[channel].callerNumber
    looks[channel].dnid = looks[channel].exten
    return OutsideCall(channel: channel, number: number, name: name)
  }

  struct OutsideCall {
    var channel: Int
    var number: [UInt8]
    var name: [UInt8]
  }

  /// The dialplan recognises a call from outside.
  mutating func incall(on channel: Int, in tenant: SimulatedTenant) {
    place(channel, exten: "s", context: "did")
    userEvent(.incall, on: channel, after: random.milliseconds(20, 300), "\(tenant.uuid)")
  }

  mutating func place(_ channel: Int, exten: Template, context: Template) {
    looks[channel].exten = keep(exten)
    looks[channel].context = keep(context)
  }

  mutating func run(_ application: Template, _ data: Template, on channel: Int) {
    looks[channel].application = keep(application)
    looks[channel].applicationData = keep(data)
  }

  // MARK: Bridges and ends

  struct Bridge {
    var id: [UInt8]
    /// The `extra` of its BRIDGE_ENTER and BRIDGE_EXIT.
    var extra: Text
  }

  mutating func bridge(id: [UInt8]? = nil, _ technology: StaticString = "simple_bridge") -> Bridge {
    let id = id ?? random.uuid()
    return Bridge(id: id, extra: keep("{\"bridge_id\":\"\(id)\",\"bridge_technology\":\"\(technology)\"}"))
  }

  mutating func enter(_ bridge: Bridge, _ channel: Int, peer: Int? = nil, after delay: Int64? = nil) {
    row(.bridgeEnter, on: channel, after: delay, extra: bridge.extra, peer: peer.map { keep("\(name: $0)") } ?? .empty)
  }

  mutating func exit(_ bridge: Bridge, _ channel: Int, peer: Int? = nil, after delay: Int64? = nil) {
    row(.bridgeExit, on: channel, after: delay, extra: bridge.extra, peer: peer.map { keep("\(name: $0)") } ?? .empty)
  }

  /// HANGUP and CHAN_END, in the same microsecond.
  mutating func end(
    _ channel: Int, cause: Int = 16, by source: Int? = nil, status: StaticString = "", after delay: Int64? = nil
  ) {
    let extra =
      if let source {
        keep("{\"hangupcause\":\(cause),\"hangupsource\":\"\(name: source)\",\"dialstatus\":\"\(status)\"}")
      } else {
        keep("{\"hangupcause\":\(cause),\"hangupsource\":\"\",\"dialstatus\":\"\(status)\"}")
      }
    row(.hangup, on: channel, after: delay, extra: extra)
    row(.chanEnd, on: channel, after: 0)
  }

  /// The last row of a linkedid, on the channel that ended last.
  mutating func endLinkedid(on channel: Int) {
    row(.linkedidEnd, on: channel, after: 0)
  }

  // MARK: People and numbers

  /// A user of the tenant, except these.
  mutating func user(in tenant: SimulatedTenant, besides others: [SimulatedUser] = []) -> SimulatedUser {
    var user = directory.users[tenant.users.lowerBound + random.below(tenant.users.count)]
    while others.contains(where: { $0.uuid == user.uuid }) {
      user = directory.users[tenant.users.lowerBound + random.below(tenant.users.count)]
    }
    return user
  }

  mutating func outsideNumber() -> [UInt8] {
    Template("+1514\(random.between(2_000_000, 9_999_999))").bytes
  }
}
