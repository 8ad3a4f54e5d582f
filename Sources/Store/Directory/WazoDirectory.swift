import CallLogs
import PostgreSQL
import SQL

/// Wazo's tables of users and lines as a source of the directory.
public enum WazoDirectory {
  /// Whether the database has these tables.
  public static func exists(on connection: Connection) throws(PostgreSQLError) -> Bool {
    let rows = try connection.query(
      "SELECT to_regclass('userfeatures') IS NOT NULL AND to_regclass('linefeatures') IS NOT NULL",
      purpose: "Looking for Wazo's directory")
    return rows.bool(0, 0) == true
  }

  /// Reads the directory in one snapshot, with one query per table.
  /// - Throws: an error of PostgreSQL.
  public static func read(on connection: Connection) throws -> DirectoryContents {
    try connection.transaction(.readOnly, purpose: "Reading Wazo's directory") {
      var contents = DirectoryContents()
      contents.tenants = try rows("tenants", connection).compactMap { $0.string(0) }
      contents.contexts = try rows("contexts", connection).map { .init(name: $0.string(0) ?? "", tenant: $0.string(1) ?? "") }
      contents.voicemails = try rows("voicemails", connection).map {
        .init(
          id: $0.int64(0) ?? 0, number: $0.string(1) ?? "", context: $0.string(2) ?? "", name: $0.string(3) ?? "",
          tenant: $0.string(4))
      }
      var uuids: [Int64: String] = [:]
      var places: [Int64: Int] = [:]
      for row in try rows("users", connection) {
        let id = row.int64(0) ?? 0
        let user = DirectoryContents.User(uuid: row.string(1) ?? "", tenant: row.string(2) ?? "", userfield: row.string(3) ?? "")
        uuids[id] = user.uuid
        places[id] = contents.users.count
        contents.users.append(user)
      }
      var mainUser: [Int64: Int64] = [:]
      var lineIDs: [Int64: [(isMain: Bool, id: Int32)]] = [:]
      for row in try rows("user_lines", connection) {
        guard let user = row.int64(0), let line = row.int64(1) else { continue }
        if mainUser[line] == nil { mainUser[line] = user }
        lineIDs[user, default: []].append((row.bool(3) ?? false, Int32(truncatingIfNeeded: line)))
      }
      for (user, lines) in lineIDs {
        guard let place = places[user] else { continue }
        contents.users[place].lineIDs = lines.filter(\.isMain).map(\.id) + lines.filter { !$0.isMain }.map(\.id)
      }
      var extensions: [Int64: (exten: String, context: String)] = [:]
      for row in try rows("extensions", connection) {
        guard let line = row.int64(0), extensions[line] == nil else { continue }
        extensions[line] = (row.string(1) ?? "", row.string(2) ?? "")
      }
      contents.lines = try rows("lines", connection).map { row in
        let id = row.int64(0) ?? 0
        return .init(
          id: Int32(truncatingIfNeeded: id), name: row.string(1) ?? "", userUUID: mainUser[id].flatMap { uuids[$0] },
          exten: extensions[id]?.exten, context: extensions[id]?.context)
      }
      return contents
    }
  }

  private static func rows(_ name: String, _ connection: Connection) throws(PostgreSQLError) -> Rows {
    try connection.query(SQL.wazoDirectory[name] ?? "", purpose: "Reading Wazo's directory (\(name))")
  }
}
