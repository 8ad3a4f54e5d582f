import Foundation

/// Audio for recordings of calls that nobody made.
enum Tone {
  private static let rate = 8000

  /// A second of a tone as a WAV file: 8 kHz, 16 bits, mono, as Asterisk records.
  static func file(hertz: Double) -> Data {
    var samples = Data(capacity: 2 * rate)
    for index in 0..<rate {
      let sample = Int16(8000 * sin(2 * Double.pi * hertz * Double(index) / Double(rate)))
      append(UInt16(bitPattern: sample), to: &samples)
    }
    var file = Data("RIFF".utf8)
    append(UInt32(36 + samples.count), to: &file)
    file += Data("WAVEfmt ".utf8)
    append(UInt32(16), to: &file)
    // PCM, one channel.
    for word: UInt16 in [1, 1] { append(word, to: &file) }
    for word in [UInt32(rate), UInt32(2 * rate)] { append(word, to: &file) }
    // Bytes and bits of a sample.
    for word: UInt16 in [2, 16] { append(word, to: &file) }
    file += Data("data".utf8)
    append(UInt32(samples.count), to: &file)
    return file + samples
  }

  private static func append(_ number: some FixedWidthInteger, to data: inout Data) {
    withUnsafeBytes(of: number.littleEndian) { data.append(contentsOf: $0) }
  }
}
