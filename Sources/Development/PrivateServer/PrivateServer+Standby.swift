import Foundation

extension PrivateServer {
  /// Starts a second server in another folder. It follows this one by streaming replication, with a
  /// moment's delay, and has the same settings. It is read-only.
  /// - Throws: ``PrivateServerError`` if it does not start
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
