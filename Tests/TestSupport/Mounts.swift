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

/// A file system of a few pages, where root may mount one.
package final class TinyDisk {
  private let folder: String
  /// A folder on it that the server may write to.
  package var data: String { folder + "/data" }

  /// Mounts one in a folder.
  /// - Throws: where it cannot be mounted
  package init(in parent: String, kilobytes: Int) throws {
    folder = parent + "/tiny-\(UUID().uuidString.prefix(8))"
    try TinyDisk.bash(
      "mkdir \(folder) && mount -t tmpfs -o size=\(kilobytes)k,mode=777 tmpfs \(folder) && mkdir -m 777 \(folder)/data && chown --reference=\(parent) \(folder)/data"
    )
  }

  deinit { try? TinyDisk.bash("umount \(folder) && rmdir \(folder)") }

  /// Makes it larger.
  package func grow(kilobytes: Int) throws { try TinyDisk.bash("mount -o remount,size=\(kilobytes)k \(folder)") }

  private static func bash(_ line: String) throws {
    guard Mounts.bash(line) else { throw CocoaError(.fileWriteUnknown) }
  }
}
