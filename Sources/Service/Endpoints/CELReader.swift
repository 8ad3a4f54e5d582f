import CallLogs
import Lanes
import Logging
import PostgreSQL
import Store
import Synchronization
import Timelines
import Values

/// Where the CELs are.
public struct CELTableSettings: Sendable {
  /// The database.
  public var database: ConnectionParameters
  /// The table, with or without its schema.
  public var table: String
  /// The zone of the wall clock in `eventtime`; nil where it needs no conversion.
  public var timeZone: String?

  /// A table.
  public init(database: ConnectionParameters, table: String = "cel", timeZone: String? = nil) {
    (self.database, self.table, self.timeZone) = (database, table, timeZone)
  }
}

/// Reads the CELs of single calls, with a connection of its own: they may be in another database
/// than the call logs.
struct CELReader: Sendable {
  /// The rows that are read of a call at most. A call with more is shown in part.
  static let most = 5000

  let lanes: Lanes
  private let settings: CELTableSettings
  private let known = Known()
  private let log: Logger

  init(_ settings: CELTableSettings, lanes: Lanes, log: Logger) {
    (self.settings, self.lanes, self.log) = (settings, lanes, log)
  }

  /// The events of a call.
  struct Found: Sendable {
    var events: [CallEvent] = []
    /// Whether there are more of them.
    var isCut = false
  }

  /// The events of a call; nil where there is no table of CELs, or the service may not read it.
  /// - Parameters:
  ///   - conversation: the conversation_id; empty where an older program wrote none
  ///   - callLog: its id, by which CELs are found then
  /// - Throws: errors of the lanes and of the server
  func events(ofConversation conversation: String, callLog: Int32) async throws -> Found? {
    do {
      return try await lanes.run { connection in try read(conversation, callLog, connection) }
    } catch let error as StoreError {
      noteUnavailable(error.description)
    } catch let error as PostgreSQLError where CELReader.isUnavailable(error.sqlState) {
      noteUnavailable(error.description)
    }
    return nil
  }

  private func read(_ conversation: String, _ callLog: Int32, _ connection: Connection) throws -> Found {
    let table = try table(on: connection)
    try table.setUp(connection)
    let begin = conversation.isEmpty ? try table.linkedids(ofCallLog: callLog, on: connection) : [conversation]
    var found = Found()
    found.isCut = try table.readCall(begin, most: CELReader.most, on: connection) { columns in
      if let event = CallEvent(columns) { found.events.append(event) }
    }
    return found
  }

  /// The table, which is looked up once.
  private func table(on connection: Connection) throws -> CELTable {
    if let table = known.state.withLock({ $0.table }) { return table }
    let table = try CELTable.find(settings.table, timeZone: settings.timeZone, on: connection)
    known.state.withLock { $0.table = table }
    return table
  }

  /// Whether the table is not there any more, or not for this role.
  private static func isUnavailable(_ state: SQLState?) -> Bool {
    [.undefinedTable, .undefinedColumn, .insufficientPrivilege].contains(state)
  }

  private func noteUnavailable(_ reason: String) {
    let isNews = known.state.withLock { state in
      defer { (state.table, state.complaint) = (nil, reason) }
      return state.complaint != reason
    }
    if isNews { log.warning("the events of calls cannot be shown: \(reason)") }
  }

  private final class Known: Sendable {
    let state = Mutex<(table: CELTable?, complaint: String)>((nil, ""))
  }
}
