import PostgreSQL
import Store
import Values

extension CallLogTables {
  /// Gives the ones of `linkedids` of which a call log exists that whoever asks does not see. Its
  /// events must not be shown, though they may be part of a call log that is seen: two Asterisk
  /// servers without a `systemname` use the same linkedids.
  /// - Parameters:
  ///   - tenants: whose call logs are seen
  ///   - participant: who must have taken part in a call to see it; nil for anybody
  /// - Throws: an error of PostgreSQL.
  public static func hidden(
    among linkedids: [String], tenants: VisibleTenants, participant: UUIDValue?, on connection: Connection
  ) throws -> Set<String> {
    guard !linkedids.isEmpty else { return [] }
    var parameters: [Parameter] = [.textArray(linkedids)]
    var seen = ["true"]
    if let list = tenants.list {
      var array = BinaryArray(.uuid)
      for tenant in list { array.append(tenant) }
      parameters.append(.array(array))
      seen.append("l.tenant_uuid = ANY($\(parameters.count))")
    }
    if let participant {
      parameters.append(.uuid(participant))
      seen.append(
        """
        EXISTS (SELECT FROM call_logd_call_log_participant p WHERE p.call_log_id = l.id AND p.user_uuid = $\(parameters.count))
        """)
    }
    let rows = try connection.query(
      "SELECT DISTINCT l.conversation_id FROM call_logd_call_log l WHERE l.conversation_id = ANY($1) AND NOT (\(seen.joined(separator: " AND ")))",
      parameters, purpose: "Looking for call logs that are not seen")
    return Set(rows.compactMap { $0.string(0) })
  }
}
