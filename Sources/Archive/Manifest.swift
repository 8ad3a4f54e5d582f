import Files
import Foundation

/// The description of a part. It gets its name last, so a part without a manifest does not exist
/// (`Archive.docc`, Format, "The manifest").
public struct Manifest: Codable, Equatable, Sendable {
  /// A column of a file.
  public struct Column: Codable, Equatable, Sendable {
    /// Its name in the table and in the file's first line.
    public var name: String
    /// Its type, as PostgreSQL writes it.
    public var type: String

    /// Creates a column.
    public init(name: String, type: String) { (self.name, self.type) = (name, type) }
  }

  /// One file of rows.
  public struct File: Codable, Equatable, Sendable {
    /// Its content.
    public var content: FileContent
    /// Its name, without folders.
    public var name: String
    /// The number of its rows, without the header.
    public var rows: Int
    /// Its length in bytes.
    public var bytes: Int
    /// The SHA-256 of the file, in hexadecimal digits, as `sha256sum` prints it.
    public var sha256: String
    /// The length of the CSV in it, in bytes.
    public var contentBytes: Int
    /// The SHA-256 of the CSV in it.
    public var contentSha256: String
    /// The smallest id of its rows. For rows that belong to a call log, it is the call log's id.
    public var leastId: Int64?
    /// The greatest id of its rows.
    public var greatestId: Int64?
    /// The earliest date of its rows, in ISO 8601 and UTC. Only the first file of a part has it.
    public var leastDate: String?
    /// The latest date of its rows.
    public var greatestDate: String?
    /// Its columns in order.
    public var columns: [Column]

    /// Creates the entry of a file.
    public init(
      content: FileContent, name: String, rows: Int, bytes: Int, sha256: String, contentBytes: Int, contentSha256: String,
      leastId: Int64? = nil, greatestId: Int64? = nil, leastDate: String? = nil, greatestDate: String? = nil, columns: [Column]
    ) {
      (self.content, self.name, self.rows, self.bytes, self.sha256) = (content, name, rows, bytes, sha256)
      (self.contentBytes, self.contentSha256, self.columns) = (contentBytes, contentSha256, columns)
      (self.leastId, self.greatestId, self.leastDate, self.greatestDate) = (leastId, greatestId, leastDate, greatestDate)
    }
  }

  /// The identity of the table that the rows come from. Names are not enough, because databases on
  /// many servers have the same names.
  public struct Origin: Codable, Hashable, Sendable {
    /// The server's system identifier, as a text of digits. Many programs would round a JSON number
    /// of that size.
    public var system: String
    /// The oid of the database.
    public var databaseOid: Int64
    /// The name of the table; for a part of call logs, the main table.
    public var table: String
    /// The oid of the table; nil where it is unknown.
    public var tableOid: Int64?

    /// Creates the identity of a table.
    public init(system: Int64, databaseOid: Int64, table: String, tableOid: Int64? = nil) {
      (self.system, self.databaseOid, self.table, self.tableOid) = (String(system), databaseOid, table, tableOid)
    }

    /// The system identifier as a number; nil where it is not one.
    public var systemNumber: Int64? { Int64(system).flatMap { String($0) == system ? $0 : nil } }
  }

  /// The fields of a manifest that name the owner of a part.
  public struct Ownership: Codable, Hashable, Sendable {
    /// The name of the database.
    public var database: String
    /// The identity of the database; nil in manifests of earlier versions.
    public var origin: Origin?

    /// Reads the owner even if the rest of the manifest is damaged or has a later format; nil where
    /// the owner cannot be read either.
    public init?(json: [UInt8]) {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      guard let read = try? decoder.decode(Ownership.self, from: Data(json)) else { return nil }
      self = read
    }

    init(database: String, origin: Origin?) { (self.database, self.origin) = (database, origin) }
  }

  /// The format of files and manifests that this program writes, and the latest that it reads.
  public static let currentFormat = 1

  /// The format.
  public var format = Manifest.currentFormat
  /// The table.
  public var table: ArchiveKind
  /// The UTC month, such as `2025-03`.
  public var month: String
  /// The part's number in the month.
  public var part: Int
  /// The retention rules in words: one per tenant, or one for all.
  public var retention: [String]
  /// The tenants of its rows, in order; empty for CELs.
  public var tenants: [String]
  /// The encoding of the text, by PostgreSQL's name.
  public var encoding: String
  /// The name of the database that the rows come from.
  public var database: String
  /// The identity of that database and table; nil in manifests of earlier versions.
  public var origin: Origin?
  /// The number of the run in `call_logd_run`.
  public var run: Int
  /// Program and version.
  public var program: String
  /// The time of writing, in ISO 8601 and UTC.
  public var written: String
  /// Its files.
  public var files: [File]

  /// Creates a manifest.
  public init(
    part: PartName, retention: [String], tenants: [String], encoding: String, database: String, origin: Origin?, run: Int,
    program: String, written: String, files: [File]
  ) {
    (table, month, self.part) = (part.kind, "\(part.month)", part.number)
    (self.retention, self.tenants) = (retention, tenants)
    (self.encoding, self.database, self.origin, self.run) = (encoding, database, origin, run)
    (self.program, self.written, self.files) = (program, written, files)
  }

  /// The number of rows in its main table; for a part of call logs, the call logs.
  public var rows: Int { files.first?.rows ?? 0 }

  /// The owner of the part.
  public var ownership: Ownership { Ownership(database: database, origin: origin) }

  /// The manifest as JSON. Equal values give equal bytes.
  /// - Throws: ``FileError`` (`damaged`) where a value cannot be encoded.
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

  /// Reads and checks the manifest of a part.
  /// - Parameters:
  ///   - json: its bytes
  ///   - name: the part by its place in the archive, which the manifest must match
  /// - Throws: ``FileError`` (`damaged`) that names the manifest and the fault.
  public init(json: [UInt8], of name: PartName) throws(FileError) {
    struct Format: Codable { var format: Int }
    func refused(_ what: String) -> FileError { FileError(.damaged, "the manifest \(name) \(what)") }
    guard String(validating: json, as: UTF8.self) != nil else { throw refused("cannot be read: it is not JSON in UTF-8") }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let format: Int
    do {
      format = try decoder.decode(Format.self, from: Data(json)).format
    } catch {
      throw refused("cannot be read: it is not a JSON object with a format")
    }
    guard format <= Manifest.currentFormat else {
      throw refused(
        "has format \(format), which a later version of this program wrote; this version reads formats up to \(Manifest.currentFormat)"
      )
    }
    guard format >= 1 else { throw refused("has format \(format), which does not exist") }
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
    // These are the only names that a part can have. So names with .. or a slash are refused here.
    guard files.map(\.content) == name.kind.contents, files.map(\.name) == name.files else {
      throw refused("names other files than such a part has: \(files.map(\.name).joined(separator: ", "))")
    }
    if let fault { throw refused(fault) }
  }
}

extension DecodingError {
  /// The place and the kind of the error, without the value.
  fileprivate var place: String {
    func path(_ context: Context) -> String {
      let keys = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
      return keys.isEmpty ? "its top level" : keys.joined(separator: ".")
    }
    return switch self {
    case .keyNotFound(let key, let context): "\(key.stringValue) is missing in \(path(context))"
    case .typeMismatch(_, let context): "\(path(context)) has another type"
    case .valueNotFound(_, let context): "\(path(context)) is null"
    case .dataCorrupted(let context): "\(path(context)) has an invalid value"
    @unknown default: "it has an invalid value"
    }
  }
}
