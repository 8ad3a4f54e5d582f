import Foundation
import Values

/// Why a file or folder could not be written, read or trusted.
public struct FileError: ReportedError, Equatable, CustomStringConvertible, Sendable {
  /// What kind of obstacle.
  public enum Kind: Sendable {
    /// The file system refused: disk full, no permission, folder gone.
    case inputOutput
    /// What was read is not what was written, or is not ours to read: a flipped bit, a cut file, another format, a path that leads elsewhere.
    case damaged
  }

  /// What kind of obstacle.
  public let kind: Kind
  /// What is wrong with which file, and what to do about it.
  public let description: String
  /// The number of the system's error (errno); 0 where the system said nothing.
  package let code: Int32

  /// An obstacle of that kind.
  public init(_ kind: Kind, _ description: String) {
    (self.kind, self.description, code) = (kind, description, 0)
  }

  /// The description.
  public var report: String { description }

  /// 65 for what was read and cannot be trusted, 74 where the file system refused.
  public var exitReason: ExitReason { kind == .damaged ? .badInput : .inputOutput }

  /// What the system said of the last call (errno), behind what was tried.
  package static func system(_ attempt: String) -> FileError {
    FileError(attempt, code: errno)
  }

  private init(_ attempt: String, code: Int32) {
    (kind, description, self.code) = (.inputOutput, "\(attempt): \(String(cString: strerror(code)))", code)
  }

  /// Whether a right was missing.
  package var isRefusal: Bool { code == EACCES || code == EPERM }
}
