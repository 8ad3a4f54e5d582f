import Foundation
import Settings

/// What other users of the machine see of this program in the list of processes.
enum ProcessList {
  private static let options = ["--db-uri", "--cel-db-uri"].map { Array($0.utf8) }

  /// Takes the secrets out of the database URIs on the command line, in the memory from which the system shows it. To be called when ``CommandLine/arguments`` has been read.
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
    // What is shown may be shorter; blanks make no arguments of their own.
    for (index, byte) in zip(value.indices, Array(shown.utf8) + Array(repeating: UInt8(ascii: " "), count: value.count)) {
      value[index] = byte
    }
  }

  #if os(Linux)
    /// Where the arguments lie, each with a NUL at its end; nil where that cannot be told. `CommandLine.unsafeArgv` may be a copy of them.
    private static func argumentArea() -> UnsafeMutableRawBufferPointer? {
      guard let stat = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
        // The name in parentheses may hold anything.
        let name = stat.lastIndex(of: ")")
      else { return nil }
      // proc(5): the field after the name is the third, arg_start and arg_end are the 48th and 49th.
      let fields = stat[name...].dropFirst().split(separator: " ")
      guard fields.count > 46, let start = UInt(fields[45]), let end = UInt(fields[46]), start > 0, start < end,
        let pointer = UnsafeMutableRawPointer(bitPattern: start), let count = Int(exactly: end - start)
      else { return nil }
      let area = UnsafeMutableRawBufferPointer(start: pointer, count: count)
      // Nothing is overwritten that is not what it is taken for.
      let known = CommandLine.arguments.map { Array($0.utf8) + [0] }.joined()
      return area.elementsEqual(known) ? area : nil
    }
  #endif
}
