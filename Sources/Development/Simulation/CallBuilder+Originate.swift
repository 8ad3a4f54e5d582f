/// Calls that the system itself begins or prepares: click to call, and the wake-up of a mobile
/// application.
extension CallBuilder {
  /// Click to call. All lines of the user ring, through a Local channel that comes first and has no
  /// caller id. Then the dialplan dials the number. There is no call log if the user's first line
  /// does not answer.
  /// - Returns: whether the CELs should give a call log
  mutating func originate(in tenant: SimulatedTenant) -> Bool {
    let user = user(in: tenant)
    let colleague: SimulatedUser? = random.chance(40) ? self.user(in: tenant, besides: [user]) : nil
    let number = colleague?.exten ?? outsideNumber()
    let (first, second) = startLocalPair(exten: user.uuid, context: "usersharedlines")
    looks[second].callerName = keep(number)
    looks[second].callerNumber = keep(number)
    allLines(of: user, on: second, in: tenant)
    let phones = ringLines(of: user, on: second)
    guard random.chance(90) else {
      stopRinging(phones, after: random.milliseconds(20_000, 30_000))
      end(second, status: "NOANSWER")
      end(first)
      endLinkedid(on: first)
      return false
    }
    let phone = phones[random.below(phones.count)]
    row(.answer, on: phone, after: random.milliseconds(1000, 8000))
    row(.answer, on: second)
    looks[first].callerName = keep(user.name)
    looks[first].callerNumber = keep(user.exten)
    row(.answer, on: first)
    for other in phones where other != phone { end(other, cause: 26) }
    let inner = bridge()
    looks[phone].exten = .empty
    enter(inner, phone)
    enter(inner, second, peer: phone)
    let callee = dialOriginated(number, to: colleague, from: first, in: tenant)
    if random.chance(80) {
      row(.answer, on: callee, after: random.milliseconds(2000, 15_000))
      joinOriginated(callee, to: phone, inner: inner, first: first, second: second)
    } else {
      stopRinging([callee], after: random.milliseconds(10_000, 25_000))
      end(first, status: "NOANSWER")
      exit(inner, second, peer: phone)
      end(second, status: "ANSWER")
      exit(inner, phone)
      end(phone)
      endLinkedid(on: phone)
    }
    // The source of the call is the line that rang first, and it must have answered.
    return phone == phones[0]
  }

  private mutating func ringLines(of user: SimulatedUser, on channel: Int) -> [Int] {
    let targets = user.lines.map { Template("PJSIP/\($0.name)").bytes }
    run("Dial", "\(Array(targets.joined(separator: [UInt8(ascii: "&")])))", on: channel)
    row(.appStart, on: channel)
    return user.lines.map { ringPhone(of: user, line: $0) }
  }

  private mutating func dialOriginated(
    _ number: [UInt8], to colleague: SimulatedUser?, from channel: Int, in tenant: SimulatedTenant
  ) -> Int {
    guard let colleague else { return ringOutside(number, from: channel, in: tenant) }
    place(channel, exten: "s", context: "user")
    let line = colleague.lines[0]
    run("Dial", "PJSIP/\(line.name)/sip:\(line.name)@10.20.0.4:5060,,hHtT", on: channel)
    row(.appStart, on: channel, after: random.milliseconds(50, 250))
    return ringPhone(of: colleague, line: line)
  }

  /// The called party meets the Local channel, which optimises itself away, and then the user.
  private mutating func joinOriginated(_ callee: Int, to phone: Int, inner: Bridge, first: Int, second: Int) {
    let outer = bridge()
    looks[callee].exten = .empty
    enter(outer, callee)
    enter(outer, first, peer: callee)
    exit(outer, callee)
    exit(inner, second)
    enter(inner, callee, peer: phone)
    exit(outer, first)
    end(first, status: "ANSWER")
    end(second, status: "ANSWER")
    let source = random.chance(50) ? callee : phone
    exit(inner, callee, peer: phone, after: random.talk())
    exit(inner, phone)
    end(callee, by: source)
    end(phone, by: source)
    endLinkedid(on: phone)
  }

  /// The system wakes the called user's mobile application, which registers before its telephone
  /// can ring.
  mutating func mobile(in tenant: SimulatedTenant) {
    let caller = user(in: tenant)
    let callee = user(in: tenant, besides: [caller])
    let line = callee.lines[0]
    let channel = call(from: caller, dialling: callee.exten)
    announce(callee, on: channel)
    run("Dial", "Local/\(line.name)@wazo_wait_for_registration,30,", on: channel)
    row(.appStart, on: channel)
    let (first, second) = startLocalPair(exten: line.name, context: "wazo_wait_for_registration")
    looks[first].callerName = keep(callee.name)
    looks[first].callerNumber = keep("s")
    looks[second].callerName = looks[channel].callerName
    looks[second].callerNumber = looks[channel].callerNumber
    let phone = start(
      "PJSIP/\(line.name)", name: callee.name, number: callee.exten, exten: Array("s".utf8),
      context: tenant.internalContext, after: random.milliseconds(80, 5000))
    run("AppDial2", "(Outgoing Line)", on: phone)
    row(.answer, on: phone, after: random.milliseconds(1500, 15_000))
    run("Stasis", "dial_mobile,dial,\(line.name)", on: second)
    row(.answer, on: second, after: random.milliseconds(20, 300))
    run("AppDial", "(Outgoing Line)", on: first)
    row(.answer, on: first)
    row(.answer, on: channel)
    let (outer, inner) = (bridge(), bridge())
    enter(outer, first)
    enter(outer, channel, peer: first)
    run("Stasis", "dial_mobile,join,\(inner.id)", on: phone)
    enter(inner, phone)
    enter(inner, second, peer: phone)
    exit(outer, channel, peer: first, after: random.talk())
    exit(outer, first)
    end(first, by: channel)
    end(channel, by: channel, status: "ANSWER")
    exit(inner, second, peer: phone)
    end(second)
    exit(inner, phone)
    end(phone)
    endLinkedid(on: phone)
  }
}
