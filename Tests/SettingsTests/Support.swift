import Foundation
import Testing

@testable import Settings

/// A folder that stands for `/`, with real files in it; removed with the last reference.
final class Root {
  let path: String

  init(_ files: [String: String] = [:]) throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("settings-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for (name, text) in files { try write(text, to: name) }
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  func write(_ text: String, to name: String) throws {
    let file = URL(fileURLWithPath: path).appendingPathComponent(name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  func load(
    _ overrides: [String: String] = [:], environment: [String: String] = [:], config: String? = nil, needsDatabase: Bool = true
  ) async throws -> Settings {
    try await Settings.load(
      overrides: overrides, environment: environment, root: path, configFile: config.map { "\(path)/\($0)" },
      needsDatabase: needsDatabase)
  }
}

let ownFile = "etc/wazo-call-logs/config.yml"
let ownFolder = "etc/wazo-call-logs/conf.d"
let wazoFile = "etc/wazo-call-logd/config.yml"
let wazoFolder = "etc/wazo-call-logd/conf.d"

/// Any database, for tests that are about something else.
let anyDatabase = ["PGHOST": "localhost"]

/// A file such as Wazo installs and its users extend: everything our own file would not have.
let wazoLikeFile = """
  # Log level: critical, error, warning, info, debug
  debug: false
  logfile: /var/log/wazo-call-logd.log
  pid_file:
  user: ~
  extra_config_files: /etc/wazo-call-logd/conf.d/
  # Database
  db_uri: postgresql://asterisk:proformatique@localhost/wazo-call-logd?application_name=wazo-call-logd
  cel_db_uri: "postgresql+psycopg2://asterisk:proformatique@localhost:5432/asterisk"
  rest_api:
    listen: 127.0.0.1
    port: 9298
    certificate: null
    cors: &cors
      enabled: true
      allow_headers: [Content-Type, X-Auth-Token, Wazo-Tenant]
  other_cors: *cors
  bus:
    username: guest
    subscribe_exchanges:
      - name: wazo-headers
        type: headers
      - {name: xivo, type: topic}
  enabled_plugins:
    cdr: true
    support_center: yes
  empty_list: []
  empty_map: {}
  7: a number as a key
  motd: |
    several lines
    of text
  """
