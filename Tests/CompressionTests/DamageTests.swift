import TestSupport
import Testing

@testable import Compression

@Suite("Damage is found and named")
struct DamageTests {
  @Test("a flipped bit gives an error, or else the right bytes", arguments: 0..<5)
  func flippedBit(round: Int) throws {
    var generator = Seeded()
    let content = csv(bytes: Int.random(in: 1...300_000, using: &generator), using: &generator)
    let compressed = try compress(content)
    var found = 0
    for _ in 0..<50 {
      var damaged = compressed
      let place = Int.random(in: 0..<damaged.count, using: &generator)
      damaged[place] ^= 1 << UInt8.random(in: 0...7, using: &generator)
      do {
        let result = try decompress(damaged)
        // Some bits mean nothing to the content: the window's size, the padding of a bit stream.
        #expect(result == content, "\(generator): the bit at \(place) went unnoticed")
      } catch is ZstandardError {
        found += 1
      }
    }
    #expect(found > 40, "\(generator)")
  }

  @Test("a wrong checksum is called that")
  func checksum() throws {
    var damaged = try compress(Array("1,CHAN_START\n".utf8))
    damaged[damaged.count - 1] ^= 1
    let error = #expect(throws: ZstandardError.self) { try decompress(damaged) }
    guard case .checksumMismatch(let message, let offset) = error else {
      Issue.record("got \(String(describing: error))")
      return
    }
    #expect(message.contains("checksum"))
    #expect(offset <= UInt64(damaged.count) && offset >= UInt64(damaged.count) - 8)
  }

  @Test("the offset points at the damaged block, not at the beginning of the file")
  func offset() throws {
    var generator = Seeded(seed: 4)
    var damaged = try compress(randomBytes(1_000_000, using: &generator))
    // An incompressible block is its header and 128 KB as they are; type 3 in the fifth header is
    // reserved.
    let place = 6 + 4 * (128 * 1024 + 3)
    damaged[place] |= 0b110
    let error = #expect(throws: ZstandardError.self) { try decompress(damaged) }
    guard case .corrupt(let message, let offset) = error else {
      Issue.record("got \(String(describing: error))")
      return
    }
    #expect(!message.isEmpty)
    #expect(abs(Int(offset) - place) <= 128 * 1024 + 3)
    #expect(error.map { "\($0)" }?.contains("\(offset)") == true)
  }

  @Test("a stream that ends inside a frame is truncated, wherever it was cut", arguments: 0..<5)
  func truncated(round: Int) throws {
    var generator = Seeded()
    let frame = try compress(csv(bytes: Int.random(in: 0...300_000, using: &generator), using: &generator))
    for first in [[], frame] {
      for length in [0, 1, 3, 4, 5, frame.count / 2, frame.count - 1] where length < frame.count {
        let cut = first + frame.prefix(length)
        // Whole frames only are no truncation; nothing at all is: the least that a compressor
        // writes is an empty frame.
        if length == 0, !first.isEmpty { continue }
        #expect(throws: ZstandardError.truncated(offset: UInt64(cut.count)), "\(generator), \(cut.count) bytes") {
          try decompress(pieces(of: cut, upTo: 100_000, using: &generator))
        }
      }
    }
  }

  @Test("other data is refused at the byte where it begins")
  func notZstandard() throws {
    #expect(throws: ZstandardError.notZstandard(offset: 0)) { try decompress(Array("id,eventtype\n".utf8)) }
    let frame = try compress(Array("1\n".utf8))
    let error = #expect(throws: ZstandardError.self) { try decompress(frame + Array("tail".utf8)) }
    guard case .notZstandard(let offset) = error else {
      Issue.record("got \(String(describing: error))")
      return
    }
    #expect(offset >= UInt64(frame.count) && offset < UInt64(frame.count) + 4)
  }

  @Test("a window above the limit is refused before its memory is taken")
  func window() throws {
    var generator = Seeded(seed: 5)
    let content = csv(bytes: 3_000_000, using: &generator)
    let compressed = try compress(content)
    let error = #expect(throws: ZstandardError.self) { try decompress(compressed, maximumWindowLog: 20) }
    guard case .windowTooLarge(20, _) = error else {
      Issue.record("got \(String(describing: error))")
      return
    }
    #expect(error.map { "\($0)" }?.contains("1 MB") == true)
    #expect(try decompress(compressed, maximumWindowLog: 21) == content)
  }

  @Test("parameters that libzstd does not have are refused")
  func parameters() {
    #expect(throws: ZstandardError.invalidParameter(name: "level", value: 99, allowed: Zstandard.levels)) {
      try Compressor(level: 99)
    }
    #expect(throws: ZstandardError.self) { try Compressor(workers: -1) }
    #expect(throws: ZstandardError.self) { try Decompressor(maximumWindowLog: 99) }
  }

  @Test("after an error of the sink, or the end, a stream takes no more")
  func closed() throws {
    struct DiskFull: Error {}
    let compressor = try Compressor()
    #expect(throws: DiskFull.self) { try compressor.finish { _ in throw DiskFull() } }
    #expect(throws: ZstandardError.closed) { try compressor.finish { _ in } }

    let decompressor = try Decompressor()
    let frame = try compress(Array("1\n".utf8))
    #expect(throws: DiskFull.self) {
      try frame.withUnsafeBytes { try decompressor.write($0) { _ in throw DiskFull() } }
    }
    #expect(throws: ZstandardError.closed) {
      try frame.withUnsafeBytes { try decompressor.write($0) { _ in } }
    }
    #expect(throws: ZstandardError.closed) { try decompressor.finish() }

    let finished = try Compressor()
    try finished.finish { _ in }
    #expect(throws: ZstandardError.closed) {
      try frame.withUnsafeBytes { try finished.write($0) { _ in } }
    }
  }
}
