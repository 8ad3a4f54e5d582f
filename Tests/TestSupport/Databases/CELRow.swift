import PostgreSQL

/// A CEL made by hand.
package struct CELRow: Sendable {
  /// The id; nil for the next one.
  package var id: Int64?
  /// The event's name.
  package var type: String
  /// Seconds since 2024-05-06 10:00 UTC.
  package var time: Double
  /// The channel's name.
  package var channel = ""
  /// The channel.
  package var uniqueid: String
  /// The call.
  package var linkedid: String
  /// The caller id's name.
  package var name = ""
  /// The caller id's number.
  package var number = ""
  /// The extension in the dialplan.
  package var exten = ""
  /// The context in the dialplan.
  package var context = "inside"
  /// JSON, or NULL.
  package var extra: String?
  /// The call log that it points to.
  package var callLogID: Int32?

  /// A row of these values.
  package init(
    _ type: String, _ time: Double, uniqueid: String, linkedid: String, channel: String = "", name: String = "",
    number: String = "",
    exten: String = "", extra: String? = nil
  ) {
    (self.type, self.time, self.uniqueid, self.linkedid, self.channel) = (type, time, uniqueid, linkedid, channel)
    (self.name, self.number, self.exten, self.extra) = (name, number, exten, extra)
  }

  /// The CELs of a call of two channels: Ann calls 102, who answers. 10 rows, one a second.
  /// - Parameters:
  ///   - linkedid: such as `1714989600.10`; the callee's channel has the same with a `9` at its end
  ///   - time: seconds since 2024-05-06 10:00 UTC
  package static func call(_ linkedid: String, at time: Double = 0, name: String = "Ann", recording: String? = nil) -> [CELRow] {
    let other = linkedid + "9"
    let bridge = #"{"bridge_id":"b","bridge_technology":"simple_bridge"}"#
    let number = linkedid.split(separator: ".").last.map(String.init) ?? "1"
    let (a, b) = ("PJSIP/aaa11-\(number)", "PJSIP/bbb12-\(number)")
    var rows = [
      CELRow("CHAN_START", time, uniqueid: linkedid, linkedid: linkedid, channel: a, name: name, number: "101", exten: "102"),
      CELRow("APP_START", time + 1, uniqueid: linkedid, linkedid: linkedid, channel: a, name: name, number: "101", exten: "s"),
      CELRow("CHAN_START", time + 2, uniqueid: other, linkedid: linkedid, channel: b, name: "Ben", number: "102", exten: "s"),
      CELRow("ANSWER", time + 3, uniqueid: other, linkedid: linkedid, channel: b, name: "Ben", number: "102", exten: "s"),
      CELRow("ANSWER", time + 4, uniqueid: linkedid, linkedid: linkedid, channel: a, name: name, number: "101", exten: "s"),
      CELRow(
        "BRIDGE_ENTER", time + 5, uniqueid: other, linkedid: linkedid, channel: b, name: "Ben", number: "102", extra: bridge),
      CELRow(
        "BRIDGE_ENTER", time + 6, uniqueid: linkedid, linkedid: linkedid, channel: a, name: name, number: "101", extra: bridge),
      CELRow("CHAN_END", time + 7, uniqueid: other, linkedid: linkedid, channel: b, name: "Ben", number: "102"),
      CELRow("CHAN_END", time + 8, uniqueid: linkedid, linkedid: linkedid, channel: a, name: name, number: "101"),
      CELRow("LINKEDID_END", time + 9, uniqueid: linkedid, linkedid: linkedid, channel: a, name: name, number: "101"),
    ]
    if let recording {
      rows.insert(
        CELRow(
          "MIXMONITOR_START", time + 6.5, uniqueid: linkedid, linkedid: linkedid, channel: a, name: name, number: "101",
          extra: #"{"mixmonitor_id":"m1","filename":"\#(recording)"}"#), at: 7)
    }
    return rows
  }

  /// The CELs of a SIP chat message.
  package static func chat(_ linkedid: String, at time: Double = 0) -> [CELRow] {
    ["CHAN_START", "APP_START", "CHAN_END", "LINKEDID_END"].map {
      CELRow($0, time, uniqueid: linkedid, linkedid: linkedid, channel: "Message/ast_msg_queue")
    }
  }

  static let numbers = [
    "CHAN_START": 1, "CHAN_END": 2, "HANGUP": 3, "ANSWER": 4, "APP_START": 5, "APP_END": 6, "BRIDGE_ENTER": 7, "BRIDGE_EXIT": 8,
    "LINKEDID_END": 14,
  ]
}

extension TestDatabase {
  /// Inserts CELs in that order into Wazo's table, or into the plain one.
  package func insert(_ rows: [CELRow], plain: Bool = false, on connection: Connection? = nil) throws {
    let table = plain ? "asterisk.cel" : "cel"
    let link = plain ? "" : ", call_log_id"
    for row in rows {
      let type = plain ? "\(CELRow.numbers[row.type] ?? 13)" : quote(row.type)
      let user = plain && CELRow.numbers[row.type] == nil ? row.type : ""
      let id = row.id.map(String.init) ?? "DEFAULT"
      let time = "(timestamptz '2024-05-06 10:00Z' + interval '\(row.time) s')" + (plain ? " AT TIME ZONE 'UTC'" : "")
      let linked = plain ? "" : ", " + (row.callLogID.map(String.init) ?? "NULL")
      try (connection ?? admin).execute(
        """
        INSERT INTO \(table) (id, eventtype, eventtime, userdeftype, channame, uniqueid, linkedid, cid_name, cid_num, exten, context, extra\(link))
        VALUES (\(id), \(type), \(plain ? "(\(time))" : time), $1, $2, $3, $4, $5, $6, $7, $8, $9\(linked))
        """,
        [
          .text(user), .text(row.channel), .text(row.uniqueid), .text(row.linkedid), .text(row.name), .text(row.number),
          .text(row.exten), .text(row.context), row.extra.map { .text($0) } ?? .null,
        ], purpose: "Inserting a CEL")
    }
  }

  private func quote(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }
}
