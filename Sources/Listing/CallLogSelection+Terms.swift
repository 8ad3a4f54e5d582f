import CallLogs
import PostgreSQL
import Values

extension CallLogSelection {
  /// The conditions of search, recordings, ids, requested extension, participant and peers.
  /// - Parameter bind: gives a value a place among the statement's parameters
  func furtherTerms(_ bind: (Parameter) -> String) -> [String] {
    var terms: [String] = []
    if let caller { terms.append("l.source_exten LIKE \(bind(.text(CallLogSelection.pattern(caller))))") }
    if let callee { terms.append("l.destination_exten LIKE \(bind(.text(CallLogSelection.pattern(callee))))") }
    if let before { terms.append("(l.date, l.id) < (\(bind(.timestamptz(before.start))), \(bind(.int4(before.id))))") }
    if let after { terms.append("(l.date, l.id) > (\(bind(.timestamptz(after.start))), \(bind(.int4(after.id))))") }
    if let search { terms.append(search.term(bind)) }
    if let isRecorded {
      terms.append("\(isRecorded ? "" : "NOT ")EXISTS (SELECT FROM call_logd_recording r WHERE r.call_log_id = l.id\(each))")
    }
    if let firstID { terms.append("l.id >= \(bind(.int4(firstID)))") }
    if let ids { terms.append("l.id = ANY(\(bind(.int4Array(ids))))") }
    if let requestedInternalExtension {
      terms.append("l.requested_internal_exten = \(bind(.text(requestedInternalExtension)))")
    }
    if let requestedInternalContext {
      terms.append("l.requested_internal_context = \(bind(.text(requestedInternalContext)))")
    }
    if let participant { terms.append(took(part: "= \(bind(.uuid(participant)))")) }
    if isLatestOfPeer { terms.append(latestOfPeer(bind)) }
    return terms
  }

  /// That a user took part.
  ///
  /// The ids are gathered first, by index. Otherwise a server that expects many calls of the user
  /// walks through all call logs of the tenant to find the first page of them. A part of the list
  /// is small enough to look at each of its call logs.
  /// - Parameter user: the rest of a condition on the user
  func took(part user: String) -> String {
    let calls = "SELECT p.call_log_id FROM call_logd_call_log_participant p WHERE p.user_uuid \(user)"
    return reach == .all ? "l.id = ANY(ARRAY(\(calls)))" : "EXISTS (\(calls) AND p.call_log_id = l.id\(each))"
  }

  /// The end of an inner query that is run for each call log. Without it the server may read all
  /// participants, for the sake of a few call logs. The planner leaves a query with
  /// OFFSET where it stands.
  var each: String { reach == .few ? " OFFSET 0" : "" }

  /// Whether its conditions leave few call logs, which a server finds by an index of their own.
  var isNarrow: Bool { hasOwnIndex || participant != nil || !users.isEmpty }

  /// Whether it is a part of a list, whose call logs are looked at one by one.
  var isPart: Bool { reach != .all && !hasOwnIndex }

  /// Whether one of its conditions gives few call logs by an index, however many there are.
  var hasOwnIndex: Bool {
    if case .callLog? = search { return true }
    return ids != nil || conversation != nil || isLatestOfPeer
  }

  /// Whether it leaves out call logs for another reason than tenant and date, so that a server may
  /// have to look at many of them before it has a page.
  var isSought: Bool {
    if let statuses, statuses.count < CallLogView.Status.allCases.count { return true }
    return search != nil || number != nil || caller != nil || callee != nil || !tags.isEmpty || !users.isEmpty
      || participant != nil || isRecorded != nil || direction != nil || requestedInternalExtension != nil
      || requestedInternalContext != nil
  }

  /// That a call log is the latest of one of its participants with that other number.
  ///
  /// Only users who can be in the answer are looked at, by index: a small tenant on a server of
  /// many need not wait for the calls of all the others.
  private func latestOfPeer(_ bind: (Parameter) -> String) -> String {
    var users = ""
    if let participant {
      // Others in the same calls have peers of their own.
      let user = bind(.uuid(participant))
      users = "t.id IN (SELECT o.call_log_id FROM call_logd_call_log_participant o WHERE o.user_uuid = \(user))"
    } else if !tenants.isEmpty {
      users = "t.tenant_uuid = ANY(\(bind(.array(BinaryArray(uuids: tenants)))))"
    }
    if !users.isEmpty {
      users = """
        WHERE p.user_uuid IN (SELECT u.user_uuid FROM call_logd_call_log t
          JOIN call_logd_call_log_participant u ON u.call_log_id = t.id WHERE \(users))
        """
    }
    return """
      l.id IN (SELECT max(c.id) FROM call_logd_call_log_participant p JOIN call_logd_call_log c ON c.id = p.call_log_id \(users)
        GROUP BY p.user_uuid, CASE p.role WHEN 'source' THEN c.requested_exten ELSE c.source_exten END)
      """
  }
}
