import TestSupport
import Testing

@testable import Compression

@Suite("What was compressed comes back")
struct RoundTripTests {
  @Test("for any content, size, pieces, level and number of workers", arguments: 0..<40)
  func roundTrip(round: Int) throws {
    var generator = Seeded()
    let size = [0, 1, 100, 5_000, 131_072, 400_000, 1_500_000].randomElement(using: &generator) ?? 0
    let content =
      Bool.random(using: &generator) ? csv(bytes: size, using: &generator) : randomBytes(size, using: &generator)
    let level = Int.random(in: -5...9, using: &generator)
    let workers = Int.random(in: 0...2, using: &generator)
    let most = [7, 1_000, 70_000, 300_000].randomElement(using: &generator) ?? 7
    let compressed = try compress(pieces(of: content, upTo: most, using: &generator), level: level, workers: workers)
    let result = try decompress(pieces(of: compressed, upTo: most, using: &generator))
    #expect(result == content, "\(generator): size \(size), level \(level), workers \(workers), pieces up to \(most)")
  }

  @Test("byte by byte, where every output is larger than its input")
  func highRatio() throws {
    let content = [UInt8](repeating: 65, count: 3_000_000)
    let compressed = try compress(content)
    #expect(compressed.count < 1_000)
    #expect(try decompress(compressed.indices.map { compressed[$0...$0] }) == content)
  }

  @Test("no input gives one empty frame")
  func emptyInput() throws {
    let compressed = try compress([])
    #expect(Zstandard.isFrame(compressed))
    #expect(try decompress(compressed) == [])
  }

  @Test("frames one after the other are one stream, skippable frames among them are passed over")
  func concatenated() throws {
    var generator = Seeded()
    let skippable: [UInt8] = [0x53, 0x2A, 0x4D, 0x18, 5, 0, 0, 0] + Array("notes".utf8)
    var stream: [UInt8] = skippable
    var expected: [UInt8] = []
    for _ in 0..<5 {
      let content = csv(bytes: Int.random(in: 0...200_000, using: &generator), using: &generator)
      stream += try compress(content)
      if Bool.random(using: &generator) { stream += skippable }
      expected += content
    }
    #expect(try decompress(stream) == expected, "\(generator)")
    #expect(try decompress(pieces(of: stream, upTo: 50, using: &generator)) == expected, "\(generator)")
    #expect(try decompress(skippable) == [])
  }

  @Test("the zstd tool reads what the compressor writes", arguments: [0, 1, 300_000, 3_000_000])
  func toolReads(size: Int) throws {
    var generator = Seeded(seed: 1)
    let content = csv(bytes: size, using: &generator)
    #expect(try zstdTool(["-d"], input: compress(content)) == content)
    #expect(try zstdTool(["-d"], input: compress([content[...]], workers: 2)) == content)
  }

  @Test(
    "the decompressor reads what the zstd tool writes", arguments: [["-1"], ["-19"], ["-3", "--no-check"], ["-T2", "-B65536"]])
  func toolWrites(arguments: [String]) throws {
    var generator = Seeded(seed: 2)
    let content = csv(bytes: 700_000, using: &generator)
    #expect(try decompress(zstdTool(arguments, input: content)) == content)
  }

  @Test("a frame has the checksum that its reader verifies")
  func checksum() throws {
    // Bit 2 of the frame header descriptor, the byte after the magic number.
    #expect(try compress(Array("a,b\n".utf8))[4] & 0b100 != 0)
  }

  @Test("output keeps to pieces of the buffer's size, and comes while input is still written")
  func streams() throws {
    var generator = Seeded(seed: 3)
    let content = randomBytes(1_000_000, using: &generator)
    let compressor = try Compressor()
    var sizes: [Int] = []
    try content.withUnsafeBytes { try compressor.write($0) { sizes.append($0.count) } }
    #expect(sizes.count > 3)
    #expect(sizes.allSatisfy { $0 <= 256 * 1024 })
  }

  @Test("what can be decompressed is given out at once, not when more input comes")
  func prompt() throws {
    let first = Array("a,b\n".utf8)
    // Whole blocks, of which the last does not fit behind what the first frame left in the output
    // buffer.
    let second = [UInt8](repeating: 65, count: 8 * 128 * 1024)
    // All but the empty last block (3 bytes) and the checksum (4) of the second frame.
    let stream = try (compress(first) + compress(second)).dropLast(7)
    let decompressor = try Decompressor()
    var output: [UInt8] = []
    try stream.withUnsafeBytes { try decompressor.write($0) { output += $0 } }
    #expect(output == first + second)
    #expect(throws: ZstandardError.truncated(offset: UInt64(stream.count))) { try decompressor.finish() }
  }

  @Test("a stream is known by its first four bytes")
  func magicNumber() throws {
    #expect(Zstandard.isFrame([0x28, 0xB5, 0x2F, 0xFD]))
    #expect(Zstandard.isFrame([0x5F, 0x2A, 0x4D, 0x18, 0]))
    #expect(!Zstandard.isFrame([0x28, 0xB5, 0x2F]))
    #expect(!Zstandard.isFrame([]))
    #expect(!Zstandard.isFrame(Array("id,eventtype".utf8)))
    #expect(!Zstandard.isFrame([0x1F, 0x8B, 8, 0]))
  }

  @Test("the version has three numbers")
  func version() {
    #expect(Zstandard.version.split(separator: ".").compactMap { Int($0) }.count == 3)
  }
}
