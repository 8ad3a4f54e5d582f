import PostgreSQL
import Values

/// A list of call logs that somebody asks for: which of those that they may see, in which order,
/// which page.
public struct CallLogQuery: Sendable {
  /// The tenants whose call logs whoever asks may see. Nothing of another tenant is listed or
  /// counted.
  public let tenants: VisibleTenants
  /// Which of them; its own tenants narrow the list further.
  public var selection: CallLogSelection
  /// In which order.
  public var order: CallLogOrder
  /// How many; nil for all.
  public var limit: Int64?
  /// How many to leave out before the first.
  public var offset: Int64
  /// Whether the counts by tenant and hour may be used, where they are kept.
  public var takesCounts = true

  /// Those of these tenants that a selection has, the latest first.
  public init(
    tenants: VisibleTenants, _ selection: CallLogSelection = CallLogSelection(), order: CallLogOrder = .newestFirst,
    limit: Int64? = nil, offset: Int64 = 0
  ) {
    (self.tenants, self.selection, self.order) = (tenants, selection, order)
    (self.limit, self.offset) = (limit, offset)
  }

  /// The selection, with the visible tenants as its only ones; nil where the two have none in
  /// common.
  var visibleSelection: CallLogSelection? {
    var selection = selection
    if selection.tenants.isEmpty {
      selection.tenants = tenants.list ?? []
    } else {
      selection.tenants = Set(selection.tenants).filter(tenants.contains).sorted()
      if selection.tenants.isEmpty { return nil }
    }
    return selection
  }

  /// The statement that gives the ids of the page; nil where there can be none.
  var page: (sql: String, parameters: [Parameter])? {
    guard var selection = visibleSelection else { return nil }
    let tenants = selection.tenants
    let most = limit.flatMap { limit -> Int64? in
      let (sum, overflows) = limit.addingReportingOverflow(offset)
      return overflows ? nil : sum
    }
    let isByTenant = tenants.count != 1 && (!selection.isNarrow || selection.isPart) && most != nil
    if isByTenant { selection.tenants = [] }
    var (condition, parameters) = selection.condition
    func bind(_ parameter: Parameter) -> String {
      parameters.append(parameter)
      return "$\(parameters.count)"
    }
    let key = order.expression
    let terms = order.terms(key: key, id: "l.id")
    var sql = "SELECT l.id FROM call_logd_call_log l WHERE \(condition) ORDER BY \(terms)"
    if isByTenant, let most {
      // Each tenant gives its own first call logs, and the page is made of those: the server finds
      // the first of one tenant by index, and would sort all of them to find the first of several.
      let source =
        tenants.isEmpty ? "call_logd_tenant t" : "unnest(\(bind(.array(BinaryArray(uuids: tenants))))) AS t (uuid)"
      sql = """
        SELECT x.id FROM \(source), LATERAL (
          SELECT l.id, \(key) AS key FROM call_logd_call_log l WHERE l.tenant_uuid = t.uuid AND \(condition)
          ORDER BY \(terms) LIMIT \(bind(.int8(most)))) AS x
        ORDER BY \(order.terms(key: "x.key", id: "x.id"))
        """
    }
    if let limit { sql += " LIMIT \(bind(.int8(limit)))" }
    if offset > 0 { sql += " OFFSET \(bind(.int8(offset)))" }
    return (sql, parameters)
  }

  /// The same list behind a place in it, which must be of this order.
  public func behind(_ place: CallLogSelection.Place) -> CallLogQuery {
    var query = self
    if order.isAscending { query.selection.after = place } else { query.selection.before = place }
    return query
  }

  /// What counts without any of the other conditions: the call logs of the tenants, or those of
  /// them in which the participant took part.
  public var whole: CallLogQuery {
    var all = CallLogSelection()
    all.statuses = Set(CallLogView.Status.allCases)
    all.tenants = selection.tenants
    all.participant = selection.participant
    var query = CallLogQuery(tenants: tenants, all)
    query.takesCounts = takesCounts
    return query
  }
}
