import Foundation
import Settings

/// This program's line in the list of processes, which other users of the machine can read.
enum ProcessList {
  private static let options = ["--db-uri", "--cel-db-uri"].map { Array($0.utf8) }

  /// Removes the secrets from database URIs, in the memory from which the kernel shows the command
  /// line. Call it after ``CommandLine/arguments`` has been read.
  static func hideSecrets() {
    #if os(Linux)
      guard let area = argumentArea() else { return }
      var isValue = false
      var start = 0
      while let end = area[start...].firstIndex(of: 0) {
        let argument = area[start..<end]
        if isValue {
          hide(UnsafeMutableRawBufferPointer(rebasing: argument))
          isValue = false
        } else if let option = options.first(where: { argument.starts(with: $0) }) {
          let rest = argument.dropFirst(option.count)
          isValue = rest.isEmpty
          if rest.first == UInt8(ascii: "=") { hide(UnsafeMutableRawBufferPointer(rebasing: rest.dropFirst())) }
        }
        start = end + 1
      }
    #endif
  }

  private static func hide(_ value: UnsafeMutableRawBufferPointer) {
    let shown = DatabaseURI(String(decoding: value, as: UTF8.self))?.redacted ?? "***"
    // The redacted URI may be shorter. Pad it with blanks: a NUL would begin another argument.
    for (index, byte) in zip(value.indices, Array(shown.utf8) + Array(repeating: UInt8(ascii: " "), count: value.count)) {
      value[index] = byte
    }
  }

  #if os(Linux)
    /// The arguments in memory, each with a NUL at its end; nil if their place is unknown. Needed
    /// because `CommandLine.unsafeArgv` may be a copy.
    private static func argumentArea() -> UnsafeMutableRawBufferPointer? {
      guard let stat = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
        // The name in parentheses may hold blanks and parentheses.
        let name = stat.lastIndex(of: ")")
      else { return nil }
      // proc(5): the field after the name is the third, arg_start and arg_end are the 48th and
      // 49th.
      let fields = stat[name...].dropFirst().split(separator: " ")
      guard fields.count > 46, let start = UInt(fields[45]), let end = UInt(fields[46]), start > 0, start < end,
        let pointer = UnsafeMutableRawPointer(bitPattern: start), let count = Int(exactly: end - start)
      else { return nil }
      let area = UnsafeMutableRawBufferPointer(start: pointer, count: count)
      // Overwrite only memory that holds the arguments.
      let known = CommandLine.arguments.map { Array($0.utf8) + [0] }.joined()
      return area.elementsEqual(known) ? area : nil
    }
  #endif
}
