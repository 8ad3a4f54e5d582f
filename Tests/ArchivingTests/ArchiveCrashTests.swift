import Archive
import CallLogs
import Files
import Foundation
import PostgreSQL
import PrivateServer
import Runs
import Store
import TestSupport
import Testing
import Values

@Suite("Two servers, of which one goes down hard")
struct ArchiveCrashTests {
  /// What commits is on its way to the disk for ten seconds, unless the session wants to wait for
  /// it.
  private static let careless = [
    "fsync": "off", "synchronous_commit": "off", "wal_writer_delay": "10s", "wal_writer_flush_after": "1GB", "wal_buffers": "8MB",
    "shared_buffers": "16MB", "max_connections": "20", "autovacuum": "off",
  ]

  /// Which server goes down, and what its sessions lose then.
  private enum Crash: CaseIterable {
    case cels
    case logs
    /// As a failover to a standby that is behind, or a disk that lies: what was committed is gone
    /// all the same.
    case logsWithLoss
  }

  @Test("at any point of a purge: every CEL is in the table or in the archive, and comes back")
  func crash() throws {
    let (celServer, logServer) = (try PrivateServer(settings: Self.careless), try PrivateServer(settings: Self.careless))
    defer { for server in [celServer, logServer] { server.stop() } }
    do {
      let (cels, logs) = (try TestDatabase(on: celServer), try TestDatabase(on: logServer))
      for day in 0..<4 { try cels.insert(CELRow.call("17149896\(day)0.\(day + 1)", at: Double(day) * 86_400)) }
      try Runner(logs, cels: cels).backfill()
      for database in [cels, logs] { try database.run("CHECKPOINT") }
    }
    let rows = "to_jsonb(c)::text FROM cel c ORDER BY id"
    let before = try TestDatabase(on: celServer).rows(rows)
    let points =
      Point.allCases.filter {
        $0.isOfArchives && !$0.isOfAudio && $0 != .beforeRestore && $0 != .afterRestore && $0 != .afterUndo
      } + [.beforeCommit, .afterCommit]
    var losses = 0
    for crash in Crash.allCases {
      for (number, point) in points.enumerated() {
        let place = try ArchivePlace()
        let server = crash == .cels ? celServer : logServer
        let reached: Bool = try {
          var runner = Runner(try TestDatabase(on: logServer), cels: try TestDatabase(on: celServer))
          runner.settings.retryFor = 0
          let once = Once(point) {
            _ = server.pid.map { kill($0, SIGQUIT) }
            throw JobError(.interrupted, "the server went down at \(point)")
          }
          runner.settings.atPoint = once.reached
          if crash == .logsWithLoss {
            runner.prepare = { context in
              for connection in [context.databases.logs, context.databases.side] {
                try? connection.script("SET synchronous_commit = off", purpose: "A test's setting")
              }
            }
          }
          _ = try? runner.purge(place, kinds: [.cel], rows: 25)
          return once.wasReached
        }()
        #expect(reached, "\(crash) \(point)")
        try server.restart(mode: .immediate)
        let (cels, logs) = (try TestDatabase(on: celServer), try TestDatabase(on: logServer))
        if try cels.count("cel") < 40,
          try logs.count("call_logd_archive WHERE folder = '\(place.folder)' AND state <> 'intended'") == 0
        {
          losses += 1
        }
        let runner = Runner(logs, cels: cels)
        // Either verb brings it to an end.
        if number % 2 == 0 { try runner.purge(place, kinds: [.cel], rows: 25) }
        do {
          try runner.restore(place, kinds: [.cel])
          try place.expectClean("\(crash) \(point)")
        } catch let error as FileError where error == ArchiveFolder.noPart(in: place.folder) {
          #expect(number % 2 == 1, "\(crash) \(point)")
        }
        #expect(try cels.rows(rows) == before, "\(crash) \(point)")
      }
    }
    // Else nothing was lost that it would have to make up for.
    #expect(losses > 0)
  }
}
