import CallLogs
import Store

extension HourlyCounts {
  /// The counts by tenant and hour that triggers keep (``CallLogCounts``).
  public static let kept = HourlyCounts(
    relation: { direction in
      let directions = direction.map { [$0.rawValue] } ?? CallLogCounts.Kind.directions
      let columns = CallLogCounts.Kind.statuses.map { status in
        "\(directions.map { "(c.\($0)_\(status))::int8" }.joined(separator: " + ")) AS \(status)"
      }
      return """
        SELECT c.tenant_uuid, c.hour, \(columns.joined(separator: ", "))
        FROM (SELECT * FROM call_logd_count UNION ALL SELECT * FROM call_logd_count_change) AS c
        """
    },
    areComplete: { try CallLogCounts.areKept(on: $0) })
}
