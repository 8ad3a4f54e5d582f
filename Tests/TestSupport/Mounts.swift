import Foundation

/// File systems of a test's own.
package enum Mounts {
  /// Whether this process may mount some: root may, where the kernel lets it.
  package static let areAllowed: Bool = {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mount-\(UUID().uuidString.prefix(8))").path
    return bash(
      "mkdir '\(folder)' && mount -t tmpfs -o size=64k tmpfs '\(folder)' && umount '\(folder)'; s=$?; rmdir '\(folder)'; exit $s")
  }()

  /// Runs a line of bash, and tells whether it was a success.
  package static func bash(_ line: String) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", line]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}
