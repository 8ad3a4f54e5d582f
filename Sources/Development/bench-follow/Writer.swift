import Foundation
import PostgreSQL

/// One connection that writes CELs as Asterisk does: each at its time, in a transaction of its own.
struct Writer: Sendable {
  let uri: String
  let columns: [String]
  let rows: [Traffic.Row]
  let started: ContinuousClock.Instant
  let ends: Ends
  let number: Int

  /// One in so many rows commits late, after this pause: its id is taken, other connections go on.
  private static let lateShare: UInt64 = 500
  private static let latePause = 0.2

  func run() throws {
    let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "bench-writer"), log: quiet)
    defer { connection.close() }
    try connection.execute("SET synchronous_commit = off", purpose: "Preparing the writer")
    let places = columns.indices.map {
      "$\($0 + 1)" + (columns[$0] == "eventtime" ? "::timestamptz" : columns[$0] == "amaflags" ? "::int" : "")
    }
    let insert = "INSERT INTO cel (\(columns.joined(separator: ", "))) VALUES (\(places.joined(separator: ", ")))"
    var serial: UInt64 = 0
    for row in rows {
      let due = started + .seconds(row.time)
      let wait = (due - .now).seconds
      if wait > 0 { Thread.sleep(forTimeInterval: wait) } else { ends.note(lag: -wait) }
      serial += 1
      let parameters = row.values.map { $0.map { Parameter.text($0) } ?? .null }
      if (serial &+ UInt64(number)) % Writer.lateShare == 0 {
        try connection.script("BEGIN", purpose: "Writing a CEL")
        try connection.execute(insert, parameters, purpose: "Writing a CEL")
        Thread.sleep(forTimeInterval: Writer.latePause)
        try connection.script("COMMIT", purpose: "Writing a CEL")
      } else {
        try connection.execute(insert, parameters, purpose: "Writing a CEL")
      }
      if row.isEnd { ends.committed(row.linkedid) }
    }
  }
}
