internal import CCurl
import Foundation
import Values

/// Sends mails by SMTP with libcurl.
struct MailSender {
  /// Why a mail was not sent, without secrets.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  let settings: MailSettings

  private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  /// What libcurl reads, and whether it shall stop.
  private final class Transfer {
    let bytes: [UInt8]
    var offset = 0
    let isStopped: () -> Bool

    init(_ bytes: [UInt8], _ isStopped: @escaping () -> Bool) { (self.bytes, self.isStopped) = (bytes, isStopped) }
  }

  /// Sends a mail. It blocks for at most the time limits of the settings.
  /// - Parameter isStopped: asked about once a second; true ends the attempt
  /// - Throws: ``Failure``
  func send(_ message: MailMessage, isStopped: @escaping () -> Bool = { false }) throws(Failure) {
    let url = try url()
    guard MailSender.isReady, let curl = curl_easy_init() else { throw Failure(description: "libcurl cannot start") }
    defer { curl_easy_cleanup(curl) }
    guard let recipients = curl_slist_append(nil, "<\(message.recipient)>") else { throw Failure(description: "out of memory") }
    defer { curl_slist_free_all(recipients) }
    let errors = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    errors.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    defer { errors.deallocate() }
    let transfer = Transfer(message.bytes, isStopped)
    let context = Unmanaged.passUnretained(transfer).toOpaque()

    var codes = [
      curl_set_error_buffer(curl, errors),
      curl_set_text(curl, CURLOPT_URL, url),
      curl_set_text(curl, CURLOPT_PROTOCOLS_STR, "smtp"),
      // The environment's proxy is for the web.
      curl_set_text(curl, CURLOPT_PROXY, ""),
      curl_set_text(curl, CURLOPT_MAIL_FROM, "<\(message.sender)>"),
      curl_set_list(curl, CURLOPT_MAIL_RCPT, recipients),
      curl_set_number(curl, CURLOPT_UPLOAD, 1),
      // Signals belong to the program. Without them, only the threaded resolver has time limits.
      curl_set_number(curl, CURLOPT_NOSIGNAL, 1),
      curl_set_number(curl, CURLOPT_CONNECTTIMEOUT, settings.connectSeconds),
      curl_set_number(curl, CURLOPT_TIMEOUT, settings.totalSeconds),
      curl_set_reader(curl, MailSender.read, context),
      curl_set_progress(curl, MailSender.progress, context),
    ]
    if case .startTLS(let checksCertificate) = settings.security {
      codes.append(curl_set_number(curl, CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue)))
      codes.append(curl_set_number(curl, CURLOPT_SSL_VERIFYPEER, checksCertificate ? 1 : 0))
      codes.append(curl_set_number(curl, CURLOPT_SSL_VERIFYHOST, checksCertificate ? 2 : 0))
    }
    if let user = settings.user, !user.isEmpty {
      codes.append(curl_set_text(curl, CURLOPT_USERNAME, user))
      codes.append(curl_set_text(curl, CURLOPT_PASSWORD, settings.password ?? ""))
    }
    if let code = codes.first(where: { $0 != CURLE_OK }) { throw MailSender.failure(code, errors) }
    let code = withExtendedLifetime(transfer) { MailSender.withoutBrokenPipes { curl_easy_perform(curl) } }
    guard code == CURLE_OK else { throw MailSender.failure(code, errors) }
  }

  /// Runs the closure with SIGPIPE blocked in this thread. OpenSSL writes to a connection that the
  /// mail server closed, and the signal would end the program.
  private static func withoutBrokenPipes<T>(_ body: () -> T) -> T {
    var (pipe, before, none) = (sigset_t(), sigset_t(), timespec())
    sigemptyset(&pipe)
    sigaddset(&pipe, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &pipe, &before)
    defer {
      while sigismember(&before, SIGPIPE) == 0, sigtimedwait(&pipe, nil, &none) == SIGPIPE {}
      pthread_sigmask(SIG_SETMASK, &before, nil)
    }
    return body()
  }

  private func url() throws(Failure) -> String {
    let host = settings.host
    guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"/@?#%\\[]".utf8.contains($0) }) else {
      throw Failure(description: "the setting smtp.host is not the name of a host")
    }
    return "smtp://\(host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host):\(settings.port)"
  }

  private static func failure(_ code: CURLcode, _ buffer: UnsafeMutablePointer<CChar>) -> Failure {
    let text = String(cString: buffer)
    return Failure(description: text.isEmpty ? String(cString: curl_easy_strerror(code)) : text)
  }

  private static let read: curl_reader = { buffer, size, count, context in
    guard let buffer, let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let length = min(size * count, transfer.bytes.count - transfer.offset)
    transfer.bytes.withUnsafeBytes { bytes in
      UnsafeMutableRawBufferPointer(start: buffer, count: length).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: bytes[transfer.offset..<transfer.offset + length]))
    }
    transfer.offset += length
    return length
  }

  private static let progress: curl_progress = { context, _, _, _, _ in
    guard let context else { return 0 }
    return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().isStopped() ? 1 : 0
  }
}
