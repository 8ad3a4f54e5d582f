import Values

extension String {
  /// The string as text for a JSON key.
  func withText(_ body: (Text) -> Void) {
    var copy = self
    copy.withUTF8 { body(Text(UnsafeRawBufferPointer($0))) }
  }
}
