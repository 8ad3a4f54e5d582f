import Values

/// Which part it is: of which table and month, and its number there. All names of files come from it, so that a manifest cannot name any other file.
public struct PartName: Hashable, Sendable, CustomStringConvertible {
  /// The table.
  public let kind: ArchiveKind
  /// The UTC month that its rows began in.
  public let month: Month
  /// Its number in the month, from 1.
  public let number: Int

  /// The part of that number.
  public init(kind: ArchiveKind, month: Month, number: Int) {
    (self.kind, self.month, self.number) = (kind, month, number)
  }

  /// The folders below the archive's, from the outermost: `call-logs`, `2025`, `2025-03`.
  public var folders: [String] { PartName.folders(kind, month) }

  static func folders(_ kind: ArchiveKind, _ month: Month) -> [String] { [kind.rawValue, month.yearText, "\(month)"] }

  private var stem: String {
    let digits = String(number)
    return "\(kind.rawValue)-\(month)-" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// The name of the file with that content, without folders.
  public func file(_ content: FileContent) -> String { "\(stem).\(content.rawValue).csv.zst" }

  /// The names of all its files of rows.
  public var files: [String] { kind.contents.map(file) }

  /// The name of its manifest.
  public var manifest: String { "\(stem).manifest.json" }

  /// Under which name a file is written before it gets its own.
  public static func temporary(_ name: String) -> String { ".\(name).tmp" }

  /// The path of its manifest below the archive's folder.
  public var description: String { (folders + [manifest]).joined(separator: "/") }

  /// The part that a file of this name in the folder of `kind` and `month` belongs to; nil for any other name.
  public init?(fileName: String, kind: ArchiveKind, month: Month) {
    var name = fileName[...]
    if name.hasPrefix("."), name.hasSuffix(".tmp") { name = name.dropFirst().dropLast(4) }
    let prefix = "\(kind.rawValue)-\(month)-"
    guard name.hasPrefix(prefix) else { return nil }
    let digits = name.dropFirst(prefix.count).prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits), number > 0, number <= 999_999_999 else { return nil }
    let part = PartName(kind: kind, month: month, number: number)
    guard (part.files + [part.manifest]).contains(String(name)) else { return nil }
    self = part
  }
}
