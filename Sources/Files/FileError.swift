import Foundation
import Values

/// An error in writing, reading or checking a file or folder.
public struct FileError: ReportedError, Equatable, CustomStringConvertible, Sendable {
  /// The kinds of errors.
  public enum Kind: Sendable {
    /// The file system refused: the disk is full, a permission is missing, a folder is gone.
    case inputOutput
    /// The content or the path cannot be trusted: a flipped bit, a cut file, another format, a path
    /// that leads out of the archive.
    case damaged
  }

  /// The kind of the error.
  public let kind: Kind
  /// The file, the problem and a remedy.
  public let description: String
  /// The number of the system's error (errno), or 0 without one.
  package let code: Int32

  /// An error without a system error.
  public init(_ kind: Kind, _ description: String) {
    (self.kind, self.description, code) = (kind, description, 0)
  }

  /// The description.
  public var report: String { description }

  /// 65 for damaged content, 74 if the file system refused.
  public var exitReason: ExitReason { kind == .damaged ? .badInput : .inputOutput }

  /// The current system error (errno), with the attempted action before it.
  package static func system(_ attempt: String) -> FileError {
    FileError(attempt, code: errno)
  }

  private init(_ attempt: String, code: Int32) {
    (kind, description, self.code) = (.inputOutput, "\(attempt): \(String(cString: strerror(code)))", code)
  }

  /// Whether a permission was missing.
  package var isRefusal: Bool { code == EACCES || code == EPERM }
}
