import Simulation

/// A line of simulated CSV, taken apart. An unquoted empty field is nil, as PostgreSQL's COPY reads
/// it.
struct CELRow: Sendable {
  static let columns = [
    "id", "eventtype", "eventtime", "userdeftype", "cid_name", "cid_num", "cid_ani", "cid_rdnis", "cid_dnid", "exten",
    "context", "channame", "appname", "appdata", "amaflags", "accountcode", "peeraccount", "uniqueid", "linkedid",
    "userfield", "peer", "extra",
  ]

  var fields: [String?]

  subscript(column: String) -> String {
    CELRow.columns.firstIndex(of: column).flatMap { fields[$0] } ?? ""
  }

  var event: String { self["eventtype"] }
  var uniqueid: String { self["uniqueid"] }
  var linkedid: String { self["linkedid"] }

  /// The eventtime in microseconds since 1970-01-01 UTC.
  var time: Int64 {
    let text = self["eventtime"].dropLast(3)
    let seconds = SimulatedTime.microseconds(fromISO: String(text.prefix(19))) ?? -1
    let fraction = text.dropFirst(20)
    return seconds + (Int64(fraction + String(repeating: "0", count: 6 - fraction.count)) ?? -1)
  }
}

/// What a simulation writes, read back.
struct CELFile: Sendable {
  var header: [String?] = []
  var rows: [CELRow] = []
  var summary: SimulationSummary

  init(_ options: SimulationOptions) throws {
    let (bytes, summary) = try Self.bytes(options)
    self.summary = summary
    var lines = Self.parse(bytes)
    if !lines.isEmpty { header = lines.removeFirst() }
    rows = lines.map(CELRow.init)
  }

  static func bytes(_ options: SimulationOptions) throws -> ([UInt8], SimulationSummary) {
    var bytes: [UInt8] = []
    let summary = try Simulation(options).writeCELs { bytes.append(contentsOf: $0) }
    return (bytes, summary)
  }

  static func parse(_ bytes: [UInt8]) -> [[String?]] {
    var lines: [[String?]] = []
    var line: [String?] = []
    var field: [UInt8] = []
    var quoted = false
    var inside = false
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if inside {
        if byte != UInt8(ascii: "\"") {
          field.append(byte)
        } else if position < bytes.count, bytes[position] == byte {
          field.append(byte)
          position += 1
        } else {
          inside = false
        }
      } else if byte == UInt8(ascii: "\"") {
        (quoted, inside) = (true, true)
      } else if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") {
        line.append(field.isEmpty && !quoted ? nil : String(decoding: field, as: UTF8.self))
        field = []
        quoted = false
        if byte == UInt8(ascii: "\n") {
          lines.append(line)
          line = []
        }
      } else {
        field.append(byte)
      }
    }
    if !line.isEmpty || !field.isEmpty { lines.append(line + [String(decoding: field, as: UTF8.self)]) }
    return lines
  }

  /// The rows of each call: linkedids that share a uniqueid belong together.
  var groups: [[CELRow]] {
    var linkedidsOf: [String: [String]] = [:]
    var parent: [String: String] = [:]
    func root(_ linkedid: String) -> String {
      var linkedid = linkedid
      while let next = parent[linkedid], next != linkedid { linkedid = next }
      return linkedid
    }
    for row in rows { linkedidsOf[row.uniqueid, default: []].append(row.linkedid) }
    for linkedids in linkedidsOf.values {
      for linkedid in linkedids.dropFirst() where root(linkedid) != root(linkedids[0]) {
        parent[root(linkedid)] = root(linkedids[0])
      }
    }
    return Array(Dictionary(grouping: rows) { root($0.linkedid) }.values)
  }
}

/// 2026-11-01, so that every run of the tests sees the same calls.
let november: Int64 = 1_793_491_200_000_000

/// Two thousand calls with the default options.
let usual = SimulationOptions(until: november)
let usualFile = Result { try CELFile(usual) }
/// Forty calls up at the same time.
let crowd = SimulationOptions(calls: 2000, seed: 7, until: november, concurrentCalls: 40)
let crowdFile = Result { try CELFile(crowd) }
