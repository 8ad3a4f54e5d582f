extension TextArena {
  /// A copy of `bytes` as valid UTF-8. Invalid bytes become U+FFFD. U+0000 is dropped, because
  /// PostgreSQL cannot store it.
  ///
  /// Source: Interpretation, R6 and R23.
  /// - Parameters:
  ///   - invalid: set to true if bytes were invalid
  ///   - nul: set to true if a U+0000 was dropped
  public func validText(_ bytes: UnsafeRawBufferPointer, invalid: inout Bool, nul: inout Bool) -> Text {
    var plain = true
    for byte in bytes where byte >= 0x80 || byte == 0 {
      plain = false
      break
    }
    if plain { return text(bytes) }
    if !bytes.contains(0), String(validating: bytes.bindMemory(to: UInt8.self), as: UTF8.self) != nil { return text(bytes) }
    nul = nul || bytes.contains(0)
    let kept = bytes.filter { $0 != 0 }
    if String(validating: kept, as: UTF8.self) == nil { invalid = true }
    return text(String(decoding: kept, as: UTF8.self))
  }
}
