#if NAMED_POINTS
  extension RunContext {
    /// Safeguards that a run leaves out. Each of them breaks the promise that call logs are what the CELs say, on purpose: so that tests can show that they would notice. Not in a released
    /// program.
    public struct Shortcuts: OptionSet, Sendable {
      /// The options as bits.
      public let rawValue: Int

      /// The options of these bits.
      public init(rawValue: Int) { self.rawValue = rawValue }

      /// Ids that were missing are not read once more.
      public static let noSecondRead = Shortcuts(rawValue: 1)
      /// Nobody is looked for who may still commit.
      public static let noLockLookUp = Shortcuts(rawValue: 2)
      /// Conversations that reach beyond their chunk are not read whole.
      public static let noRereading = Shortcuts(rawValue: 4)
      /// Conversations that were noted as reaching beyond their chunk are not looked up.
      public static let noReachLookUp = Shortcuts(rawValue: 8)
      /// Covered ids are not looked through for rows that came later, which would find what the others let through.
      public static let noCoveredCheck = Shortcuts(rawValue: 16)
    }
  }
#endif
