import Crypto
import Values

/// UUIDs that are a function of the call: making a call log again gives the same ones.
///
/// RFC 9562, UUIDv8: 48 bits of the call's start in milliseconds since 1970, so that indexes stay local, then a hash of conversation, kind, ordinal and path. This
/// never changes between versions: rows that exist would get other uuids when they are remade.
enum DerivedUUID {
  enum Kind: UInt8 {
    case participant = 1
    case destination = 2
    case recording = 3
    /// A recording whose own uuid another call has.
    case otherRecording = 4
  }

  /// - Parameters:
  ///   - date: the call's start
  ///   - ordinal: the place among its kind
  ///   - path: what tells it apart otherwise, such as a recording's path
  static func make(date: Int64, conversationID: Text, kind: Kind, ordinal: Int = 0, path: Text = .null) -> UUIDValue {
    // In one piece: each update of the hash costs more than the bytes that it takes. Begins with NULs, which cannot occur in the texts, so that no two inputs run into the same bytes.
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
