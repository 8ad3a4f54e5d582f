import Lanes
import PostgreSQL
import Synchronization
import TestSupport
import Testing

@Suite("Streams of lanes", .timeLimit(.minutes(2)))
struct LaneStreamTests {
  private static func lanes(_ database: TestDatabase, idle: Duration = .seconds(60), limit: Duration = .seconds(600)) -> Lanes {
    var settings = LaneSettings(
      connection: ConnectionParameters(uri: database.uri, applicationName: "lanes"), count: 1, wait: .seconds(30))
    (settings.readerIdle, settings.streamLimit) = (idle, limit)
    return Lanes(settings, log: quiet)
  }

  private static func bytes(of stream: LaneStream) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    while let piece = try await stream.next() { bytes += piece }
    return bytes
  }

  @Test("What a lane writes in pieces of any size arrives whole and in order")
  func order() async throws {
    let database = try TestDatabase(.empty)
    let lanes = LaneStreamTests.lanes(database)
    var random = Seeded()
    for _ in 0..<20 {
      let pieces = (0..<Int.random(in: 0...40, using: &random)).map { _ in
        (0..<Int.random(in: 0...30_000, using: &random)).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      }
      let stream = lanes.stream { _, writer in for piece in pieces { try writer.write(piece) } }
      #expect(try await LaneStreamTests.bytes(of: stream) == pieces.flatMap(\.self))
    }
    await lanes.close(grace: .zero)
  }

  @Test("A lane is never more than a few pieces ahead of its reader")
  func backPressure() async throws {
    let database = try TestDatabase(.empty)
    let lanes = LaneStreamTests.lanes(database)
    let written = Mutex(0)
    let stream = lanes.stream { _, writer in
      for _ in 0..<50 {
        try writer.write([UInt8](repeating: 1, count: 1 << 16))
        written.withLock { $0 += 1 }
      }
    }
    var read = 0
    while let piece = try await stream.next() {
      read += piece.count >> 16
      try await Task.sleep(for: .milliseconds(2))
      #expect(written.withLock { $0 } <= read + 6)
    }
    #expect(read == 50)
    await lanes.close(grace: .zero)
  }

  @Test("An error after some pieces comes behind them, and never looks like an end")
  func failure() async throws {
    let database = try TestDatabase(.empty)
    let lanes = LaneStreamTests.lanes(database)
    let stream = lanes.stream { connection, writer in
      try writer.write([1, 2, 3])
      try writer.flush()
      try connection.execute("SELECT 1 / 0", purpose: "Failing")
    }
    #expect(try await stream.next() == [1, 2, 3])
    await #expect(throws: PostgreSQLError.self) { try await stream.next() }
    await lanes.close(grace: .zero)
  }

  @Test("A reader that goes away ends the statement and frees the lane")
  func readerGone() async throws {
    let database = try TestDatabase(.empty)
    let lanes = LaneStreamTests.lanes(database)
    for isWriting in [true, false] {
      let stream = lanes.stream { connection, writer in
        try writer.write([1])
        try writer.flush()
        if isWriting {
          while true { try writer.write([UInt8](repeating: 1, count: 1 << 16)) }
        } else {
          try connection.execute("SELECT pg_sleep(60)", purpose: "Sleeping")
        }
      }
      #expect(try await stream.next() == [1])
      stream.giveUp()
      #expect(try await lanes.run { _ in 3 } == 3)
    }
    await lanes.close(grace: .zero)
  }

  @Test("A reader that takes nothing is cut off, and a stream does not last for ever")
  func limits() async throws {
    let database = try TestDatabase(.empty)
    for (idle, limit, error) in [
      (Duration.milliseconds(100), Duration.seconds(600), LaneError.readerIsIdle),
      (.seconds(60), .milliseconds(200), .streamIsTooLong),
    ] {
      let lanes = LaneStreamTests.lanes(database, idle: idle, limit: limit)
      let failed = Mutex(false)
      let stream = lanes.stream { _, writer in while true { try writer.write([UInt8](repeating: 1, count: 1 << 16)) } }
      stream.onFailure { failed.withLock { $0 = true } }
      if error == .readerIsIdle {
        while !failed.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(10)) }
      }
      await #expect(throws: error) { while try await stream.next() != nil {} }
      #expect(failed.withLock { $0 })
      await lanes.close(grace: .zero)
    }
  }

  @Test("Lanes that are closed do not wait for a reader that takes nothing")
  func closing() async throws {
    let database = try TestDatabase(.empty)
    let lanes = LaneStreamTests.lanes(database, idle: .seconds(3600), limit: .seconds(7200))
    let stream = lanes.stream { _, writer in while true { try writer.write([UInt8](repeating: 1, count: 1 << 16)) } }
    #expect(try await stream.next() != nil)
    await lanes.close(grace: .milliseconds(50))
    await #expect(throws: (any Error).self) { while try await stream.next() != nil {} }
  }
}
