import Values

/// The name of a part: its table, its month and its number. All file names derive from it, so a
/// manifest cannot name any other file.
public struct PartName: Hashable, Sendable, CustomStringConvertible {
  /// The table.
  public let kind: ArchiveKind
  /// The UTC month in which its calls began.
  public let month: Month
  /// The part's number in the month, from 1.
  public let number: Int

  /// Creates the name of a part.
  public init(kind: ArchiveKind, month: Month, number: Int) {
    (self.kind, self.month, self.number) = (kind, month, number)
  }

  /// The folders below the archive's folder, from the outermost, for example `call-logs`, `2025`,
  /// `2025-03`.
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

  /// The name of a file while it is being written.
  public static func temporary(_ name: String) -> String { ".\(name).tmp" }

  /// The path of its manifest below the archive's folder.
  public var description: String { (folders + [manifest]).joined(separator: "/") }

  /// Finds the part of a file with this name, in the folder of `kind` and `month`; nil for any
  /// other name.
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
