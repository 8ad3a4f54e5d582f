import Foundation

extension ServiceSettings {
  /// All settings, for the manual's page "Service". `key` is the dotted path, for example
  /// `rest_api.port`.
  public static var catalogue: [Settings.Entry] {
    entries.map { entry in
      Settings.Entry(
        key: entry.path, environmentName: entry.environmentName, defaultText: entry.defaultText,
        explanation: entry.explanation, allowed: entry.allowed)
    }
  }

  /// The settings that are read, in the order of the manual's table.
  static var entries: [ServiceEntry] {
    apiEntries + authenticationEntries + exportEntries + generalEntries + limitEntries
  }

  private static let ports = 0...65_535
  private static let headers = "names of headers, such as [Content-Type, X-Auth-Token]; an environment variable has commas"

  private static var apiEntries: [ServiceEntry] {
    [
      .text(
        "rest_api.listen", \.restAPI.address.host, "Address of the REST API.", allowed: "an IP address or a name", Parse.host),
      .integer("rest_api.port", \.restAPI.address.port, ports, "Port of the REST API; 0: any free one."),
      .path("rest_api.certificate", \.restAPI.certificate, "PEM file of the certificate for HTTPS; with private_key."),
      .path("rest_api.private_key", \.restAPI.privateKey, "PEM file of the certificate's private key."),
      .flag("rest_api.cors.enabled", \.restAPI.cors.isEnabled, "Whether pages of other sites may ask."),
      .texts(
        "rest_api.cors.origins", \.restAPI.cors.origins, "Sites whose pages may ask; *: any.",
        allowed: "* or origins such as https://ui.example.com", Parse.origin),
      .texts(
        "rest_api.cors.allow_headers", \.restAPI.cors.allowHeaders, "Headers that such requests may have.", allowed: headers,
        Parse.headerName),
    ]
  }

  private static var authenticationEntries: [ServiceEntry] {
    [
      .choice(
        "authentication", \.choice, "Who knows the tokens; auto: wazo if a source has the key auth, else tokens.",
        allowed: "auto, wazo, tokens or none", write: \.rawValue, read: AuthenticationChoice.init(rawValue:)),
      .text(
        "tokens_file", \.tokensFile, "File of tokens, for a plain Asterisk.", allowed: "the absolute path of a file",
        Parse.absolutePath),
      .text("auth.host", \.auth.host, "Name or address of wazo-auth.", allowed: "an IP address or a name", Parse.host),
      .integer("auth.port", \.auth.port, 1...65_535, "Port of wazo-auth."),
      .flag("auth.https", \.auth.usesHTTPS, "Whether wazo-auth is asked by HTTPS."),
      .certificateCheck("auth.verify_certificate", \.auth.certificateCheck, "How the certificate of wazo-auth is checked."),
      .optionalText(
        "auth.prefix", \.auth.prefix, "Beginning of the paths of wazo-auth.", allowed: "a path such as /api/auth",
        Parse.pathPrefix),
      .optionalText("auth.username", \.auth.username, "The service's name at wazo-auth; else key_file has it."),
      .secret("auth.password", \.auth.password, "The service's password at wazo-auth; else key_file has it."),
      .path("auth.key_file", \.auth.keyFile, "YAML file with service_id and service_key."),
      .integer("auth.cache_seconds", \.auth.cacheSeconds, 0...86_400, "Seconds for which an answer counts; 0: always ask."),
      .optionalText(
        "auth.master_tenant_uuid", \.auth.masterTenant, "Master tenant; else the one of the service's token.",
        allowed: Settings.Key.defaultTenant.allowed, Parse.uuid),
    ]
  }

  private static var exportEntries: [ServiceEntry] {
    [
      .text(
        "exports.directory", \.exports.directory, "Folder of exports of recordings.",
        allowed: "the absolute path of a folder below the root, such as /srv/exports", Parse.folderBelowRoot),
      .optionalText("exports.service_id", \.exports.serviceID, "Name at wazo-auth for tokens in mails; else key_file has it."),
      .secret("exports.service_key", \.exports.serviceKey, "Password of service_id; else key_file has it."),
      .path("exports.key_file", \.exports.keyFile, "YAML file with service_id and service_key."),
      .text("email_export_from_name", \.exports.fromName, "Sender's name in mails about exports."),
      .text(
        "email_export_from_address", \.exports.fromAddress, "Sender's address in mails about exports.",
        allowed: "a mail address such as no-reply@example.com", Parse.mailAddress),
      .text("email_export_subject", \.exports.subject, "Subject of mails about exports."),
      .path("email_export_body_template", \.exports.bodyTemplate, "File with the text of mails; else the service's own text."),
      .integer(
        "email_export_token_expiration", \.exports.tokenExpiration, 1...31_536_000,
        "Seconds for which the link in a mail works."),
      .text(
        "smtp.host", \.mailServer.host, "Name or address of the mail server.", allowed: "an IP address or a name", Parse.host),
      .integer("smtp.port", \.mailServer.port, 1...65_535, "Port of the mail server."),
      .flag("smtp.starttls", \.mailServer.startTLS, "Whether the connection is encrypted by STARTTLS."),
      .integer("smtp.timeout", \.mailServer.timeout, 1...3_600, "Seconds that the mail server may take to answer."),
      .optionalText("smtp.username", \.mailServer.username, "User at the mail server; none: no login."),
      .secret("smtp.password", \.mailServer.password, "Password at the mail server."),
      .days("retention.cdr_days", \.retention.callLogDays, "Days of call logs; else the number stored in the database."),
      .days("retention.export_days", \.retention.exportDays, "Days of exports; else the number stored in the database."),
      .days("retention.recording_days", \.retention.recordingDays, "Days of audio; else the number stored in the database."),
    ]
  }

  private static var generalEntries: [ServiceEntry] {
    [
      .database("db_uri", \.dbURI, "Database that has the call logs; else libpq's variables."),
      .database("cel_db_uri", \.celDBURI, "Database that has the CELs; else db_uri."),
      .text(
        "recordings_dir", \.recordingsDirectory, "Folder of audio files; the service touches none elsewhere.",
        allowed: Settings.Key.recordingsDirectory.allowed, Parse.folderBelowRoot),
      .choice(
        "counts", \.counts, "Whether lists use counts by tenant and hour; auto: where the service may make them.",
        allowed: "auto, on or off", write: \.rawValue, read: CountsChoice.init(rawValue:)),
      .optionalText("uuid", \.uuid, "UUID of the Wazo server.", allowed: Settings.Key.defaultTenant.allowed, Parse.uuid),
      .optionalText("user", \.user, "User that the service becomes; none: who started it.", allowed: "a user's name", Parse.host),
      .flag("debug", \.isDebugging, "Whether all messages are shown, whatever log_level says."),
      .choice(
        "log_level", \.leastLevel, "Least severe messages shown.", allowed: "debug, info, warning, error or critical",
        write: \.rawValue, read: Parse.wazoLevel),
      .flag("db_upgrade_on_startup", \.upgradesDatabase, "Whether the service upgrades an older schema at the start."),
    ]
  }

  private static var limitEntries: [ServiceEntry] {
    [
      .integer("service.list_connections", \.limits.listConnections, 1...64, "Connections to the database for lists."),
      .integer(
        "service.stream_connections", \.limits.streamConnections, 1...64,
        "Connections to the database for CSV, whole lists, exports."),
      .integer("service.count_connections", \.limits.countConnections, 1...64, "Connections to the database for counts."),
      .integer("service.queue", \.limits.queue, 1...100_000, "Requests that may wait for each kind of connection."),
      .time("service.queue_wait", \.limits.queueWait, "How long a request may wait for a connection."),
      .time("service.list_timeout", \.limits.listTimeout, "How long the database may work on a list."),
      .time("service.count_timeout", \.limits.countTimeout, "How long the database may count."),
      .integer("service.max_connections", \.limits.maxConnections, 1...100_000, "Connections of clients at the same time."),
      .bytes("service.header_limit", \.limits.headerLimit, 1_024...1_048_576, "Size of a request's line and headers."),
      .bytes("service.body_limit", \.limits.bodyLimit, 1_024...1_073_741_824, "Size of a request's body."),
      .time("service.request_timeout", \.limits.requestTimeout, "How long a client may take to send a request."),
      .time("service.stream_idle", \.limits.streamIdle, "How long a client of a stream may take nothing."),
      .time("service.stream_limit", \.limits.streamLimit, "How long a stream may last."),
      .time("service.grace", \.limits.grace, "How long running answers may take when the service ends."),
      .integer("service.event_streams", \.limits.eventStreams, 1...10_000, "Clients that get new call logs as they come."),
      .integer(
        "service.refused_limit", \.limits.refusedLimit, 0...1_000_000,
        "Attempts with unknown tokens or wrong passwords that an address or a user's name has in a minute; 0: any number."),
      .texts(
        "service.trusted_proxies", \.limits.trustedProxies,
        "Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.", allowed: "IP addresses", Parse.address),
      .text(
        "service.management_listen", \.limits.management.host, "Address of /metrics and /health.",
        allowed: "an IP address or a name", Parse.host),
      .integer("service.management_port", \.limits.management.port, ports, "Port of /metrics and /health; 0: any free one."),
    ]
  }
}

extension Parse {
  /// An IP address.
  static func address(_ text: String) -> String? {
    let text = trim(text)
    var bytes = in6_addr()
    return inet_pton(AF_INET, text, &bytes) == 1 || inet_pton(AF_INET6, text, &bytes) == 1 ? text : nil
  }

  /// An origin such as `https://ui.example.com:8443`, or `*`. Other texts without blanks count too:
  /// Flask-CORS takes patterns, which here match no origin.
  static func origin(_ text: String) -> String? {
    line(text).flatMap { $0.contains(where: \.isWhitespace) ? nil : $0 }
  }
}
