import Foundation

/// The program itself.
enum Program {
  static let version = "0.1.0"
  static let name = "wazo-call-logd \(version)"

  static var environment: [String: String] { ProcessInfo.processInfo.environment }

  /// Writes a line to standard error, with the program's name before it.
  static func say(_ message: String) {
    FileHandle.standardError.write(Data("wazo-call-logd: \(message)\n".utf8))
  }
}
