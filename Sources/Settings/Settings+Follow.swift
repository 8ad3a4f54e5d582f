extension Settings {
  /// Whether call logs are made as calls end, and why.
  public struct FollowDecision: Sendable, Equatable {
    /// Whether they are.
    public let isOn: Bool
    /// The reason, as the end of a sentence.
    public let reason: String
  }

  /// Decides whether wazo-call-logd makes call logs as calls end.
  ///
  /// Where Wazo's configuration exists, Wazo's daemon probably runs and does the same work.
  /// - Parameter root: the folder that contains `etc`
  public func followDecision(root: String = "/") -> FollowDecision {
    if let follow {
      return FollowDecision(isOn: follow, reason: "the setting follow is \(follow)")
    }
    let path = (root.hasSuffix("/") ? String(root.dropLast()) : root) + "/etc/wazo-call-logd/config.yml"
    if SettingsFiles.exists(path) {
      return FollowDecision(
        isOn: false, reason: "\(path) exists, so Wazo's daemon probably makes call logs; set follow to true if it does not")
    }
    return FollowDecision(isOn: true, reason: "there is no Wazo daemon")
  }
}
