extension SimulatedDirectory {
  /// The directory as a JSON object with `default_tenant_uuid`, `users`, `lines` (each with its
  /// extensions), `contexts` and `voicemails`.
  func json() -> [UInt8] {
    var bytes = Template("{\n\"default_tenant_uuid\": \"\(masterTenant)\",\n\"users\": [\n").bytes
    bytes += Self.list(
      users.map { user in
        let field = user.userfield.map { Template("\"\(json: $0)\"").bytes } ?? Template("null").bytes
        let lines = Self.list(user.lines.map { Template("\($0.id)").bytes }, separator: ", ")
        return Template(
          """
          {"uuid": "\(user.uuid)", "tenant_uuid": "\(tenants[user.tenant].uuid)", "userfield": \(field), \
          "line_ids": [\(lines)]}
          """
        ).bytes
      })
    bytes += Template("\n],\n\"lines\": [\n").bytes
    bytes += Self.list(
      allLines.map { line, owner in
        let tenant = tenants[owner.tenant]
        let user = owner.user.map { Template("{\"uuid\": \"\($0.uuid)\"}").bytes } ?? []
        let extensions =
          owner.user.map { Template("{\"exten\": \"\($0.exten)\", \"context\": \"\(tenant.internalContext)\"}").bytes } ?? []
        return Template(
          """
          {"id": \(line.id), "name": "\(line.name)", "protocol": "sip", "tenant_uuid": "\(tenant.uuid)", \
          "users": [\(user)], "extensions": [\(extensions)]}
          """
        ).bytes
      })
    bytes += Template("\n],\n\"contexts\": [\n").bytes
    bytes += Self.list(
      contexts.map { name, tenant in Template("{\"name\": \"\(name)\", \"tenant_uuid\": \"\(tenant.uuid)\"}").bytes })
    bytes += Template("\n],\n\"voicemails\": [\n").bytes
    bytes += Self.list(
      mailboxes.map { id, user in
        let tenant = tenants[user.tenant]
        return Template(
          """
          {"id": \(id), "number": "\(user.exten)", "context": "\(tenant.internalContext)", "name": "\(json: user.name)", \
          "tenant_uuid": "\(tenant.uuid)"}
          """
        ).bytes
      })
    return bytes + Template("\n]\n}\n").bytes
  }

  /// The directory as INSERT statements, in one transaction, for Wazo's tables `tenant`, `context`,
  /// `userfeatures`, `linefeatures`, `user_line`, `extensions`, `line_extension` and `voicemail`.
  /// The tables must exist and must not hold the same ids.
  func sql() -> [UInt8] {
    let numbered = users.enumerated().map { (number: $0.offset + 1, user: $0.element) }
    var bytes = Template("BEGIN;\n").bytes
    bytes += Self.insert("tenant (uuid)", ([masterTenant] + tenants.map(\.uuid)).map { Template("'\($0)'").bytes })
    bytes += Self.insert(
      "context (tenant_uuid, name)", contexts.map { name, tenant in Template("'\(tenant.uuid)', '\(name)'").bytes })
    bytes += Self.insert(
      "userfeatures (id, uuid, tenant_uuid, firstname, lastname, userfield)",
      numbered.map { number, user in
        Template(
          """
          \(number), '\(user.uuid)', '\(tenants[user.tenant].uuid)', '\(sql: user.firstName)', '\(sql: user.lastName)', \
          '\(sql: user.userfield ?? [])'
          """
        ).bytes
      })
    bytes += Self.insert(
      "linefeatures (id, name, context)",
      allLines.map { line, owner in
        let tenant = tenants[owner.tenant]
        let context = owner.user == nil ? tenant.externalContext : tenant.internalContext
        return Template("\(line.id), '\(line.name)', '\(context)'").bytes
      })
    bytes += Self.insert(
      "user_line (user_id, line_id, main_user, main_line)",
      numbered.flatMap { number, user in
        user.lines.enumerated().map { Template("\(number), \($1.id), true, \($0 == 0 ? "true" : "false")").bytes }
      })
    bytes += Self.insert(
      "extensions (id, exten, context, typeval)",
      numbered.map { number, user in
        Template("\(number), '\(user.exten)', '\(tenants[user.tenant].internalContext)', '\(number)'").bytes
      })
    bytes += Self.insert(
      "line_extension (line_id, extension_id, main_extension)",
      numbered.flatMap { number, user in user.lines.map { Template("\($0.id), \(number), true").bytes } })
    bytes += Self.insert(
      "voicemail (uniqueid, mailbox, context, fullname)",
      mailboxes.map { id, user in
        Template("\(id), '\(user.exten)', '\(tenants[user.tenant].internalContext)', '\(sql: user.name)'").bytes
      })
    return bytes + Template("COMMIT;\n").bytes
  }

  private typealias Owner = (tenant: Int, user: SimulatedUser?)

  private var allLines: [(SimulatedLine, Owner)] {
    users.flatMap { user in user.lines.map { ($0, (user.tenant, user)) } }
      + tenants.enumerated().map { index, tenant in (tenant.trunk, (index, nil)) }
  }

  private var contexts: [(name: [UInt8], SimulatedTenant)] {
    tenants.flatMap { [($0.internalContext, $0), ($0.externalContext, $0)] }
  }

  private var mailboxes: [(id: Int, SimulatedUser)] {
    users.compactMap { user in user.mailbox.map { ($0, user) } }
  }

  private static func list(_ items: [[UInt8]], separator: String = ",\n") -> [UInt8] {
    Array(items.joined(separator: Array(separator.utf8)))
  }

  private static func insert(_ target: String, _ rows: [[UInt8]]) -> [UInt8] {
    guard !rows.isEmpty else { return [] }
    return Array("INSERT INTO \(target) VALUES\n(".utf8) + list(rows, separator: "),\n(") + Array(");\n".utf8)
  }
}
