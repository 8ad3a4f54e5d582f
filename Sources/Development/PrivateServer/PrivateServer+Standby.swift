import Foundation

extension PrivateServer {
  /// Starts a second server in a folder of its own that follows this one by streaming replication and can be read. It has the same settings; it knows what this one has committed a moment ago.
  public func makeStandby() throws(PrivateServerError) -> PrivateServer {
    let folder = try ServerFolder.prepare(nil, account: account)
    let arguments = [
      programs.path("pg_basebackup"), "-D", folder + "/data", "-d", "host=\(socketDirectory) port=\(port) user=postgres",
      "--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--no-manifest",
    ]
    do throws(PrivateServerError) {
      try Command.run(account.wrap(arguments), name: "pg_basebackup")
      return try PrivateServer(directory: folder, settings: settings, isTemporary: true)
    } catch {
      ServerFolder.remove(folder)
      throw error
    }
  }
}
