import API
import Authentication
import Foundation
import Logging
import PostgreSQL
import Service
import ServiceLifecycle
import WazoAuth

@main
struct Main {
  static func main() async throws {
    let env = ProcessInfo.processInfo.environment
    let debug = DebugSwitch(false)
    let log = ServiceLog.logger(.info, debug: debug)
    if let user = env["RUN_AS"] { try Privileges.become(user) }
    var settings = CallLogServiceSettings()
    settings.port = Int(env["PORT"] ?? "9298") ?? 9298
    settings.managementPort = nil
    settings.database = ConnectionParameters(uri: env["DB"], applicationName: "wazo-call-logd")
    settings.site.recordingsDirectory = env["REC"] ?? ""
    settings.site.exportsDirectory = env["EXPORTS"] ?? ""
    settings.site.configuration = .fields(["rest_api": .object([]), "debug": .flag(false)])
    let auth = try WazoAuthenticator(
      WazoAuthSettings(
        host: "127.0.0.1", port: Int(env["AUTH"] ?? "") ?? 9497, service: .init(name: "call-logd-service", secret: "x"),
        cacheSeconds: 0), log: log)
    let run = Task { await auth.run() }
    try await CallLogService(settings, authenticator: auth, debug: debug, log: log).run()
    run.cancel()
    await auth.shutdown()
  }
}
