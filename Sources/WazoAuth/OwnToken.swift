import Foundation
import Logging
import Synchronization
import Values

/// The service's own token, by which it learns the master tenant. The token itself is not kept:
/// nothing is asked with it.
package final class OwnToken: Sendable {
  /// How long the token is asked to be valid, in seconds: Wazo's services say six hours.
  static let seconds = 21_600

  private let server: AuthServer
  private let settings: WazoAuthSettings
  private let log: Logger
  private let known = Mutex<UUIDValue?>(nil)

  init(_ server: AuthServer, _ settings: WazoAuthSettings, log: Logger) {
    (self.server, self.settings, self.log) = (server, settings, log)
  }

  /// The master tenant; nil as long as the service has had no token.
  var master: UUIDValue? { known.withLock { $0 } }

  /// Gets a token and renews it in time, until the task is cancelled.
  func run() async {
    guard let credentials = settings.service else {
      log.error(
        "auth names neither a key file nor a username with its password: the master tenant stays unknown, and /config unavailable"
      )
      // Returning would say that the service has ended.
      while !Task.isCancelled { try? await Task.sleep(for: .seconds(86_400)) }
      return
    }
    var failures = 0
    while !Task.isCancelled {
      let wait: Duration
      do {
        let data = try await server.ownToken(credentials, validFor: OwnToken.seconds, settings.limit)
        let isFirst = known.withLock { tenant in
          defer { tenant = data.tenant }
          return tenant != data.tenant
        }
        if isFirst { log.info("wazo-auth knows the service; the master tenant is \(data.tenant)") }
        failures = 0
        wait = max(OwnToken.renewal(issue: data.issue, expiry: data.expiry), settings.pause * 10)
      } catch {
        if Task.isCancelled { return }
        wait = OwnToken.pause(after: failures, unit: settings.pause)
        failures += 1
        log.warning("the service gets no token: \(error.shown); it tries again in \(wait.shown)")
      }
      try? await Task.sleep(for: wait)
    }
  }

  /// How long a token is used: 80 % of its life. Both times are wazo-auth's, so that the clocks of
  /// the two hosts need not agree.
  package static func renewal(issue: Timestamp?, expiry: Timestamp?) -> Duration {
    var life = Int64(seconds)
    if let issue, let expiry {
      let (difference, isTooLarge) = expiry.subtractingReportingOverflow(issue)
      if !isTooLarge { life = min(life, max(0, difference / 1_000_000)) }
    }
    return .milliseconds(life * 800)
  }

  /// How long to wait after some attempts that failed in a row: 1, 2, 4, … 32.
  package static func pause(after failures: Int, unit: Duration) -> Duration { unit * (1 << min(max(failures, 0), 5)) }
}
