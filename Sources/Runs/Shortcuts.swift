#if NAMED_POINTS
  extension RunContext {
    /// Safeguards that a test leaves out. Without them, call logs may disagree with the CELs. Tests
    /// use that to prove that they would notice. A release does not have them.
    public struct Shortcuts: OptionSet, Sendable {
      /// The options as bits.
      public let rawValue: Int

      /// The options of these bits.
      public init(rawValue: Int) { self.rawValue = rawValue }

      /// The run does not read missing ids a second time.
      public static let noSecondRead = Shortcuts(rawValue: 1)
      /// The run does not look for transactions that may still commit.
      public static let noLockLookUp = Shortcuts(rawValue: 2)
      /// The run does not read conversations whole that reach beyond their chunk.
      public static let noRereading = Shortcuts(rawValue: 4)
      /// The run does not look up conversations that are noted as reaching beyond their chunk.
      public static let noReachLookUp = Shortcuts(rawValue: 8)
      /// The run does not check covered ids for later rows. That check would find the effects of
      /// the other shortcuts.
      public static let noCoveredCheck = Shortcuts(rawValue: 16)
    }
  }
#endif
