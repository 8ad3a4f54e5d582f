import Foundation
import PostgreSQL
import Values

extension ExportSteps {
  /// Sends one mail that is due, and records the result. If the service is killed in between, the
  /// mail is sent again.
  func sendMail(_ outcome: inout Outcome) throws {
    guard let mail = settings.mail else { return }
    let rows = try connection.query(
      """
      SELECT \(ExportRecord.columns), q.email, q.base_url, q.mail_tries FROM call_logd_export_request q
      JOIN call_logd_export e ON e.uuid = q.export_uuid
      WHERE q.mail = 'waiting' AND q.mail_next <= now() AND e.status = 'finished' ORDER BY q.mail_next, e.uuid LIMIT 1
      """, purpose: "Looking for a mail to send")
    guard let row = rows.first, let export = ExportRecord(row), let email = row.string(6) else { return }
    do {
      try send(mail, ExportMail(export: export, baseURL: row.string(7) ?? ""), to: email)
      try reached(.mailSent)
      try end(export, "sent")
      log.info("the mail about export \(export.uuid) is sent")
      outcome.mailed = export.uuid
    } catch let error as PostgreSQLError {
      throw error
    } catch {
      // A stop is no failure of the mail.
      if interruption.isRequested { throw Interrupted() }
      outcome.mailFailed = export.uuid
      try putOff(export, tries: Int(row.int64(8) ?? 0), error)
    }
  }

  private func send(_ mail: MailSettings, _ about: ExportMail, to email: String) throws {
    let link = try link(about)
    let value = { (placeholder: MailTemplate.Placeholder) -> String in
      switch placeholder {
      case .link: link
      case .fileName: about.export.fileName
      case .requestedAt: TimestampText.text(about.export.requestedAt)
      case .uuid: about.export.uuid.description
      }
    }
    let message = try MailMessage(
      from: mail.fromName, mail.fromAddress, to: email, subject: mail.subject.filled(value), body: mail.body.filled(value),
      id: "export-\(about.export.uuid)", time: time(nil))
    let interruption = interruption
    try MailSender(settings: mail).send(message) { interruption.isRequested }
  }

  private func end(_ export: ExportRecord, _ state: String) throws {
    try connection.execute(
      "UPDATE call_logd_export_request SET mail = $2, email = NULL, mail_tries = mail_tries + 1 WHERE export_uuid = $1",
      [.uuid(export.uuid), .text(state)], purpose: "Recording that a mail is done")
  }

  private func putOff(_ export: ExportRecord, tries: Int, _ error: any Error) throws {
    let failure = "the mail about export \(export.uuid) was not sent: \(error)"
    guard tries < settings.mailPauses.count else {
      log.error("\(failure). The service gives it up after \(tries + 1) tries; the export itself is finished")
      return try end(export, "failed")
    }
    let pause = settings.mailPauses[max(0, tries)]
    log.warning("\(failure). The service tries again in \(pause) seconds")
    try connection.execute(
      """
      UPDATE call_logd_export_request SET mail_tries = mail_tries + 1, mail_next = now() + make_interval(secs => $2)
      WHERE export_uuid = $1
      """, [.uuid(export.uuid), .int4(pause)], purpose: "Putting a mail off")
  }
}
