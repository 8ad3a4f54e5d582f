import API
import Authentication
import Exports
import Foundation
import Logging
import PostgreSQL
import Recordings
import Service
import ServiceLifecycle
import Settings
import Values

/// Turns settings into what the service is made of.
struct Setup: Sendable {
  let settings: ServiceSettings
  let defaultTenant: UUIDValue?
  let log: Logger

  init(_ settings: ServiceSettings, defaultTenant: UUIDValue?, log: Logger) {
    (self.settings, self.defaultTenant, self.log) = (settings, defaultTenant, log)
  }

  /// The database of call logs.
  var database: ConnectionParameters {
    ConnectionParameters(
      uri: settings.dbURI?.connectionString, applicationName: "wazo-call-logd", connectTimeout: 5)
  }

  /// The days that the configuration gives.
  var retention: RetentionDays {
    RetentionDays(
      callLogs: settings.retention.callLogDays.flatMap { Int32(exactly: $0) },
      exports: settings.retention.exportDays.flatMap { Int32(exactly: $0) },
      recordings: settings.retention.recordingDays.flatMap { Int32(exactly: $0) })
  }

  /// The table of CELs, as runs read it.
  func cels(_ batch: Settings) -> CELTableSettings {
    CELTableSettings(
      database: ConnectionParameters(
        uri: (settings.celDBURI ?? settings.dbURI)?.connectionString, applicationName: "wazo-call-logd", connectTimeout: 5),
      table: batch.celTable, timeZone: batch.celTimeZone)
  }

  /// The settings of the service.
  /// - Parameter cels: the table of CELs; nil where the service shows no events of calls
  /// - Throws: ``JobError`` (78): a port that is none
  func service(cels: CELTableSettings? = nil) throws(JobError) -> CallLogServiceSettings {
    let limits = settings.limits
    var service = CallLogServiceSettings()
    (service.listen, service.port) = (settings.restAPI.address.host, settings.restAPI.address.port)
    if let chain = settings.restAPI.certificate, let key = settings.restAPI.privateKey { service.certificate = (chain, key) }
    (service.managementListen, service.managementPort) = (limits.management.host, limits.management.port)
    service.database = database
    service.cels = cels
    service.connections = (limits.listConnections, limits.countConnections, limits.streamConnections)
    service.queue = (limits.queue, limits.queueWait)
    service.timeouts = (limits.listTimeout, limits.countTimeout)
    service.streams = (limits.streamIdle, limits.streamLimit)
    service.events.most = limits.eventStreams
    service.grace = limits.grace
    service.mostConnections = limits.maxConnections
    service.headerLimit = limits.headerLimit
    (service.takesCounts, service.needsCounts) = (settings.counts != .off, settings.counts == .on)
    service.site = site
    service.mail = mail
    service.exportTokenSeconds = settings.exports.tokenExpiration
    if case .wazo = settings.authentication { service.mailNeedsToken = true }
    return service
  }

  private var site: SiteSettings {
    var site = SiteSettings()
    let cors = settings.restAPI.cors
    site.crossOrigin.isEnabled = cors.isEnabled
    site.crossOrigin.headers = cors.allowHeaders
    site.crossOrigin.origins = cors.origins.contains("*") ? nil : cors.origins
    site.limits.body = settings.limits.bodyLimit
    site.limits.request = settings.limits.requestTimeout
    site.limits.refusedAttempts = settings.limits.refusedLimit
    site.trustedProxies = settings.limits.trustedProxies
    site.configuration = settings.effective.json
    site.recordingsDirectory = settings.recordingsDirectory
    site.exportsDirectory = settings.exports.directory
    return site
  }

  // MARK: Mails

  private var mail: MailSettings? {
    let (server, exports) = (settings.mailServer, settings.exports)
    var mail = MailSettings(
      subject: template(exports.subject, "subject") ?? .subject,
      body: exports.bodyTemplate.flatMap { fileTemplate($0) } ?? .body)
    mail.host = server.host
    mail.port = UInt16(exactly: server.port) ?? 25
    // A mail server on this machine has a certificate for another name, if any.
    let isHere = ServiceSettings.Address(host: server.host, port: server.port).isLoopback
    if server.startTLS { mail.security = .startTLS(checksCertificate: !isHere) }
    (mail.user, mail.password) = (server.username, server.password?.value)
    (mail.fromName, mail.fromAddress) = (exports.fromName, exports.fromAddress)
    mail.connectSeconds = min(mail.connectSeconds, server.timeout)
    return mail
  }

  private func fileTemplate(_ path: String) -> MailTemplate? {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      log.warning("the text of mails in \(path) cannot be read; mails have the service's own text")
      return nil
    }
    return template(text, path)
  }

  private func template(_ text: String, _ place: String) -> MailTemplate? {
    do throws(JobError) {
      return try MailTemplate(text)
    } catch {
      log.warning("\(error.message) (in \(place)); mails have the service's own text")
      return nil
    }
  }
}

extension SettingsValue {
  /// The same as JSON.
  var json: JSONValue {
    switch self {
    case .null: .null
    case .flag(let flag): .flag(flag)
    case .integer(let number): .integer(Int64(number))
    case .number(let number): .number(number)
    case .text(let text): .string(text)
    case .list(let values): .list(values.map(\.json))
    case .map(let fields): .object(fields.map { JSONValue.Field($0.key, $0.value.json) })
    }
  }
}

extension ServiceSettings {
  /// The level of the log while debug messages are off.
  var leastLogLevel: Logger.Level {
    var settings = self
    settings.isDebugging = false
    return switch settings.logLevel {
    case .debug: .debug
    case .info: .info
    case .warning: .warning
    case .error: .error
    }
  }
}
