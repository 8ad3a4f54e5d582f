import Files
import Foundation

/// What is in a part: written last, so that a part without it does not exist.
public struct Manifest: Codable, Equatable, Sendable {
  /// A column of a file.
  public struct Column: Codable, Equatable, Sendable {
    /// Its name in the table and in the file's first line.
    public var name: String
    /// Its type, as PostgreSQL writes it.
    public var type: String

    /// A column of that name and type.
    public init(name: String, type: String) { (self.name, self.type) = (name, type) }
  }

  /// One file of rows.
  public struct File: Codable, Equatable, Sendable {
    /// What it holds.
    public var content: FileContent
    /// Its name, without folders.
    public var name: String
    /// Its rows, the line of names aside.
    public var rows: Int
    /// Its length in bytes.
    public var bytes: Int
    /// The SHA-256 of the file, in hexadecimal digits, as `sha256sum` prints it.
    public var sha256: String
    /// The length of the CSV in it, in bytes.
    public var contentBytes: Int
    /// The SHA-256 of the CSV in it.
    public var contentSha256: String
    /// The least id among its rows; the call log's id where a row has no number of its own.
    public var leastId: Int64?
    /// The greatest.
    public var greatestId: Int64?
    /// The least date among its rows, in ISO 8601 and UTC; only where rows have one of their own that archives go by.
    public var leastDate: String?
    /// The greatest.
    public var greatestDate: String?
    /// Its columns in order.
    public var columns: [Column]

    /// A file of these values.
    public init(
      content: FileContent, name: String, rows: Int, bytes: Int, sha256: String, contentBytes: Int, contentSha256: String,
      leastId: Int64? = nil, greatestId: Int64? = nil, leastDate: String? = nil, greatestDate: String? = nil, columns: [Column]
    ) {
      (self.content, self.name, self.rows, self.bytes, self.sha256) = (content, name, rows, bytes, sha256)
      (self.contentBytes, self.contentSha256, self.columns) = (contentBytes, contentSha256, columns)
      (self.leastId, self.greatestId, self.leastDate, self.greatestDate) = (leastId, greatestId, leastDate, greatestDate)
    }
  }

  /// The table that the rows come from, by what no other table has: names of databases are the same on many servers.
  public struct Origin: Codable, Hashable, Sendable {
    /// The server's system identifier in digits: many programs lose some of them where it is a JSON number.
    public var system: String
    /// The oid of the database.
    public var databaseOid: Int64
    /// The name of the table; of a part of call logs that of the main table.
    public var table: String
    /// The oid of the table; nil where it is not at hand.
    public var tableOid: Int64?

    /// That table of that database.
    public init(system: Int64, databaseOid: Int64, table: String, tableOid: Int64? = nil) {
      (self.system, self.databaseOid, self.table, self.tableOid) = (String(system), databaseOid, table, tableOid)
    }

    /// The system identifier as a number; nil where it is none.
    public var systemNumber: Int64? { Int64(system).flatMap { String($0) == system ? $0 : nil } }
  }

  /// The few fields of a manifest that say whose part it is.
  public struct Ownership: Codable, Hashable, Sendable {
    /// The name of the database.
    public var database: String
    /// Which one it is; nil in manifests of earlier versions.
    public var origin: Origin?

    /// Reads it also where the rest is damaged or of a later format; nil where this cannot be read either.
    public init?(json: [UInt8]) {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      guard let read = try? decoder.decode(Ownership.self, from: Data(json)) else { return nil }
      self = read
    }

    init(database: String, origin: Origin?) { (self.database, self.origin) = (database, origin) }
  }

  /// The format of files and manifests that this program writes, and the greatest that it reads.
  public static let currentFormat = 1

  /// The format.
  public var format = Manifest.currentFormat
  /// The table.
  public var table: ArchiveKind
  /// The UTC month, such as `2025-03`.
  public var month: String
  /// Its number in the month.
  public var part: Int
  /// Which rows were due, in words: by tenant, or one rule for all.
  public var retention: [String]
  /// The tenants whose rows it holds, in order; none for CELs.
  public var tenants: [String]
  /// The encoding of the text, as PostgreSQL names it.
  public var encoding: String
  /// The database that the rows come from.
  public var database: String
  /// Which database and table that is; nil in manifests of earlier versions.
  public var origin: Origin?
  /// The number of the run in `call_logd_run`.
  public var run: Int
  /// Program and version.
  public var program: String
  /// When it was written, in ISO 8601 and UTC.
  public var written: String
  /// Its files.
  public var files: [File]

  /// A manifest of these values.
  public init(
    part: PartName, retention: [String], tenants: [String], encoding: String, database: String, origin: Origin?, run: Int,
    program: String, written: String, files: [File]
  ) {
    (table, month, self.part) = (part.kind, "\(part.month)", part.number)
    (self.retention, self.tenants) = (retention, tenants)
    (self.encoding, self.database, self.origin, self.run) = (encoding, database, origin, run)
    (self.program, self.written, self.files) = (program, written, files)
  }

  /// The rows of its table: of a call log's part the call logs.
  public var rows: Int { files.first?.rows ?? 0 }

  /// Whose part it is.
  public var ownership: Ownership { Ownership(database: database, origin: origin) }

  /// As JSON, the same bytes for the same values.
  public func json() throws(FileError) -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    } catch {
      throw FileError(.damaged, "a manifest cannot be written as JSON: \(error)")
    }
  }

  /// Reads the manifest of a part.
  /// - Parameters:
  ///   - json: its bytes
  ///   - name: the part by its place in the archive, which the manifest must agree with
  /// - Throws: ``FileError`` (damaged) that names the file and what is wrong.
  public init(json: [UInt8], of name: PartName) throws(FileError) {
    struct Format: Codable { var format: Int }
    func refused(_ what: String) -> FileError { FileError(.damaged, "the manifest \(name) \(what)") }
    guard String(validating: json, as: UTF8.self) != nil else { throw refused("cannot be read: it is no JSON in UTF-8") }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let format: Int
    do {
      format = try decoder.decode(Format.self, from: Data(json)).format
    } catch {
      throw refused("cannot be read: it is no JSON object with a format")
    }
    guard format <= Manifest.currentFormat else {
      throw refused(
        "is of format \(format), which a later version of this program wrote; this one reads up to \(Manifest.currentFormat)")
    }
    guard format >= 1 else { throw refused("is of format \(format), which does not exist") }
    do {
      self = try decoder.decode(Manifest.self, from: Data(json))
    } catch let error as DecodingError {
      throw refused("cannot be read: \(error.place)")
    } catch {
      throw refused("cannot be read")
    }
    guard table == name.kind, month == "\(name.month)", part == name.number else {
      throw refused("says that it is part \(part) of \(table.rawValue) \(month): it was moved or renamed")
    }
    // The only names that a part can have: nothing with .. or a slash in it gets any further.
    guard files.map(\.content) == name.kind.contents, files.map(\.name) == name.files else {
      throw refused("names other files than such a part has: \(files.map(\.name).joined(separator: ", "))")
    }
    if let fault { throw refused(fault) }
  }
}

extension DecodingError {
  /// Where and what, without the value.
  fileprivate var place: String {
    func path(_ context: Context) -> String {
      let keys = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
      return keys.isEmpty ? "its top level" : keys.joined(separator: ".")
    }
    return switch self {
    case .keyNotFound(let key, let context): "\(key.stringValue) is missing in \(path(context))"
    case .typeMismatch(_, let context): "\(path(context)) is of another type"
    case .valueNotFound(_, let context): "\(path(context)) is null"
    case .dataCorrupted(let context): "\(path(context)) is not what it should be"
    @unknown default: "it is not what it should be"
    }
  }
}
