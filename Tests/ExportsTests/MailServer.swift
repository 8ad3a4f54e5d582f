import Foundation

/// A mail server for one test: aiosmtpd on a port of its own. It ends with the last reference.
final class MailServer {
  /// What a server does besides taking mails.
  enum Kind: String {
    case plain
    /// It wants the user `ann` with the password `right`.
    case login
    /// It wants STARTTLS, with a certificate that nobody knows.
    case tls
    /// It refuses every recipient.
    case refusing
    /// It takes connections and never says a word.
    case silent
  }

  /// A mail as Python's reader understands it.
  struct Mail: Decodable {
    var sender: String
    var recipients: [String]
    var head: [[String]]
    var subject: String
    var from: String
    var body: String
  }

  static let exists = (try? python("import aiosmtpd.controller")) != nil

  let port: UInt16
  private let process = Process()
  private let input = Pipe()
  private let file: URL

  init(_ kind: Kind = .plain, port: UInt16 = 0) throws {
    file = FileManager.default.temporaryDirectory.appendingPathComponent("mails-\(UUID().uuidString)")
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = ["-c", MailServer.script, kind.rawValue, "\(port)", file.path]
    process.standardInput = input
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    var line = Data()
    while line.last != UInt8(ascii: "\n") {
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { throw Missing(what: "a mail server") }
      line += more
    }
    guard let port = UInt16(String(decoding: line.dropLast(), as: UTF8.self)) else { throw Missing(what: "a mail server") }
    self.port = port
  }

  deinit {
    // Other children of the tests may have got the pipe, too, so the server may not see its end. It
    // may have inherited a mask of signals, which SIGKILL ignores.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: file)
  }

  /// A port at which nobody listens.
  static func freePort() throws -> UInt16 {
    let text = try python("import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
    return UInt16(String(decoding: text.dropLast(), as: UTF8.self)) ?? 0
  }

  /// The mails so far.
  func mails() throws -> [Mail] {
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
    return try text.split(separator: "\n").map { try JSONDecoder().decode(Mail.self, from: Data($0.utf8)) }
  }

  private static let script = """
    import email, email.policy, json, os, socket, ssl, subprocess, sys, tempfile
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult
    kind, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    class Handler:
        async def handle_RCPT(self, server, session, envelope, address, options):
            if kind == 'refusing': return '550 nobody here'
            envelope.rcpt_tos.append(address)
            return '250 OK'
        async def handle_DATA(self, server, session, envelope):
            m = email.message_from_bytes(envelope.content, policy=email.policy.default)
            raw = email.message_from_bytes(envelope.content)
            with open(path, 'a') as f:
                f.write(json.dumps({'sender': envelope.mail_from, 'recipients': envelope.rcpt_tos, 'head': raw.items(),
                    'subject': m['Subject'], 'from': m['From'], 'body': m.get_content()}) + '\\n')
            return '250 OK'
    if not port:
        s = socket.socket(); s.bind(('127.0.0.1', 0)); port = s.getsockname()[1]; s.close()
    if kind == 'silent':
        s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('127.0.0.1', port)); s.listen(5)
    else:
        options = {}
        if kind == 'login':
            options = dict(auth_required=True, auth_require_tls=False, authenticator=lambda server, session, envelope, mechanism, data:
                AuthResult(success=(data.login, data.password) == (b'ann', b'right')))
        if kind == 'tls':
            d = tempfile.mkdtemp()
            subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', d + '/k',
                '-out', d + '/c', '-days', '2', '-subj', '/CN=localhost'], check=True, stderr=subprocess.DEVNULL)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(d + '/c', d + '/k')
            subprocess.run(['rm', '-r', d])
            options = dict(tls_context=context, require_starttls=True)
        Controller(Handler(), hostname='127.0.0.1', port=port, **options).start()
    print(port, flush=True)
    sys.stdin.read()
    os._exit(0)
    """
}
