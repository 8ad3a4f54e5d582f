import Foundation
import PostgreSQL

extension Demo {
  private static let simulatedRecordings = "/var/lib/wazo/sounds/tenants"

  /// Changes the CELs as if Asterisk had recorded the calls in that folder.
  func move(recordings folder: String, _ connection: Connection) throws {
    try connection.execute(
      "UPDATE cel SET extra = replace(extra, $1, $2) WHERE eventtype = 'MIXMONITOR_START'",
      [.text(Demo.simulatedRecordings), .text(folder)], purpose: "Moving the recordings")
  }

  /// Makes the audio of the recordings and starts the service.
  func start(_ service: DemoService, _ uri: String, _ connection: Connection) throws {
    let paths = try connection.query(
      "SELECT DISTINCT path FROM call_logd_recording WHERE starts_with(path, $1)", [.text(service.recordings + "/")],
      purpose: "Reading the recordings")
    for (number, row) in paths.enumerated() { try service.record(row.string(0) ?? "", number: number) }
    try service.start(self.service, tokens: program, database: uri, tenant: Demo.tenant)
  }

  /// The path of the newest recording in the API.
  func example(of folder: String, _ connection: Connection) throws -> String? {
    try connection.query(
      """
      SELECT '/cdr/' || l.id || '/recordings/' || r.uuid || '/media'
      FROM call_logd_recording r JOIN call_logd_call_log l ON l.id = r.call_log_id
      WHERE starts_with(r.path, $1) AND l.blocked IS NOT TRUE ORDER BY l.date DESC, l.id DESC, r.uuid LIMIT 1
      """, [.text(folder + "/")], purpose: "Looking for a recording"
    ).first?.string(0)
  }

  /// Says how to ask the service.
  func show(_ service: DemoService, _ recording: String?) {
    print(
      """

      wazo-call-logd serves the calls by Wazo's REST API. In another terminal:
        curl -H 'X-Auth-Token: \(service.token)' '\(service.url)/cdr?recurse=true&limit=5'
        curl -H 'X-Auth-Token: \(service.token)' '\(service.url)/cdr?recurse=true&format=csv'
      """)
    if let recording {
      print("  curl -H 'X-Auth-Token: \(service.token)' -o recording.wav '\(service.url)\(recording)'")
    }
    print(
      """
      Calls come in every few seconds. To see each as it ends:
        curl -N -H 'X-Auth-Token: \(service.token)' '\(service.url)/cdr/stream?recurse=true'
      The service's own view of itself:
        curl \(service.management)/metrics
        tail -f \(service.logFile)

      Ctrl-C ends all of it.

      The search page shows the calls, with new ones as they end. Sign in with this token:
        \(service.token)
        \(service.page)
      """)
    fflush(nil)
  }
}
