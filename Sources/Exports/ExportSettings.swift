import Values

/// The settings of exports.
public struct ExportSettings: Sendable {
  /// The folder of the zip files (`exports.directory`). It is made where it is missing.
  public var folder: String
  /// The folder of recordings (`recordings_dir`).
  public var recordingsFolder: String
  /// How mails are sent; nil where no mail is sent.
  public var mail: MailSettings?
  /// The pauses after failed mails, in seconds. After one more failure the service gives up.
  public var mailPauses: [Int32] = [60, 300, 1800, 7200, 21600]
  /// How often a service begins to make one file, before it gives up. A file that brings the
  /// service down would do so at every start.
  public var mostAttempts = 5

  /// The folder in which Wazo's service keeps exports.
  public static let defaultFolder = "/var/lib/wazo-call-logd/exports"

  /// Settings with these folders.
  public init(folder: String = ExportSettings.defaultFolder, recordingsFolder: String, mail: MailSettings? = nil) {
    (self.folder, self.recordingsFolder, self.mail) = (folder, recordingsFolder, mail)
  }
}

/// The content of a mail about an export.
public struct ExportMail: Sendable {
  /// The export that is ready.
  public let export: ExportRecord
  /// The address of the API as the client knows it.
  public let baseURL: String
}
