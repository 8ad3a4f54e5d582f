import Crypto
import Values

/// UUIDs that depend only on the call. A call log that is made again has the same ones
/// (Interpretation, R102 and R103).
///
/// They are UUIDv8 (RFC 9562). The first 48 bits are the call's start in milliseconds since 1970,
/// so that neighbouring calls are neighbours in indexes. The rest is a hash of conversation, kind,
/// ordinal and path. The form must never change: existing rows would get other uuids when they are
/// made again.
enum DerivedUUID {
  enum Kind: UInt8 {
    case participant = 1
    case destination = 2
    case recording = 3
    /// A recording whose own uuid belongs to another call.
    case otherRecording = 4
  }

  /// - Parameters:
  ///   - date: the start of the call
  ///   - ordinal: the place among those of the same kind
  ///   - path: the path of a recording, or the key of a detail
  static func make(date: Int64, conversationID: Text, kind: Kind, ordinal: Int = 0, path: Text = .null) -> UUIDValue {
    // One update for both numbers: an update costs more than its bytes. The number begins with NUL
    // bytes, which no text contains. So two different inputs never give the same bytes.
    let place = (UInt64(kind.rawValue) << 32 | UInt64(UInt32(truncatingIfNeeded: ordinal))).bigEndian
    let placeEnd = conversationID.count + 8
    let digest = withUnsafeTemporaryAllocation(byteCount: placeEnd + path.count, alignment: 8) { message in
      message.copyBytes(from: conversationID.bytes)
      message.storeBytes(of: place, toByteOffset: conversationID.count, as: UInt64.self)
      UnsafeMutableRawBufferPointer(rebasing: message[placeEnd...]).copyBytes(from: path.bytes)
      return SHA256.hash(bytes: UnsafeRawBufferPointer(message))
    }
    let (first, second) = digest.withUnsafeBytes {
      (
        UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
        UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
    let milliseconds = UInt64(max(0, date / 1000 + Timestamp.secondsFrom1970To2000 * 1000)) & 0xFFFF_FFFF_FFFF
    return UUIDValue(high: milliseconds << 16 | 0x8000 | first & 0xFFF, low: 1 << 63 | second >> 2)
  }
}

extension SHA256 {
  fileprivate static func hash(bytes: UnsafeRawBufferPointer) -> SHA256Digest {
    var hash = SHA256()
    hash.update(bufferPointer: bytes)
    return hash.finalize()
  }
}
