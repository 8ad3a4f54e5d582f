import Values

/// The check of a manifest, before anything relies on it (`Archive.docc`, Format, "What is checked
/// on reading").
extension Manifest {
  /// A limit (64 TiB) that no file reaches, and that sums of sizes do not overflow.
  private static let mostBytes = 1 << 46

  /// The first contradiction in the manifest; nil where there is none.
  var fault: String? {
    guard encoding == "UTF8" || encoding == "SQL_ASCII" else {
      return "names the encoding \(Manifest.shown(encoding)), which no archive has"
    }
    guard !database.isEmpty else { return "names no database" }
    guard run >= 0, run <= Int32.max else { return "names the run \(run), which is impossible" }
    guard Manifest.instant(written) != nil else {
      return "says that it was written at \(Manifest.shown(written)), which is not a time"
    }
    guard tenants.allSatisfy({ UUIDValue($0) != nil }) else { return "names a tenant that is not a UUID" }
    guard tenants.isEmpty == (table == .cel) else {
      return table == .cel ? "names tenants, which CELs do not have" : "names no tenant"
    }
    if let origin, let fault = origin.fault { return fault }
    for file in files {
      if let fault = fault(of: file) { return "has an entry for \(file.name) that cannot be true: \(fault)" }
    }
    return nil
  }

  private func fault(of file: File) -> String? {
    guard file.bytes > 0, file.bytes <= Manifest.mostBytes, file.contentBytes > 0, file.contentBytes <= Manifest.mostBytes else {
      return "\(file.bytes) bytes for \(file.contentBytes) bytes of rows"
    }
    // Each row has at least a line break, and so has the header.
    guard file.rows >= 0, file.rows < file.contentBytes else { return "\(file.rows) rows in \(file.contentBytes) bytes" }
    guard [file.sha256, file.contentSha256].allSatisfy({ $0.utf8.count == 64 && $0.utf8.allSatisfy(\.isHexadecimalDigit) }) else {
      return "a SHA-256 that is not 64 hexadecimal digits"
    }
    guard file.columns.allSatisfy({ !$0.name.isEmpty && !$0.type.isEmpty }) else { return "a column without a name or a type" }
    guard Set(file.columns.map(\.name)).count == file.columns.count else { return "two columns of one name" }
    for name in file.content.neededColumns where !file.columns.contains(where: { $0.name == name }) {
      return "no column \(name)"
    }
    return file.content == table.contents[0] ? faultOfMain(file) : faultOfIDs(file)
  }

  private func faultOfMain(_ file: File) -> String? {
    guard file.rows > 0 else { return "no rows" }
    guard file.leastId != nil, file.greatestId != nil else { return "rows without ids" }
    if let fault = faultOfIDs(file) { return fault }
    if let ids = file.ids {
      let (span, isGreat) = ids.upperBound.subtractingReportingOverflow(ids.lowerBound)
      guard isGreat || Int64(file.rows) - 1 <= span else {
        return "\(file.rows) rows with ids from \(ids.lowerBound) to \(ids.upperBound)"
      }
    }
    guard let least = file.leastDate.flatMap(Manifest.instant), let greatest = file.greatestDate.flatMap(Manifest.instant) else {
      return "rows without dates"
    }
    guard least <= greatest else { return "dates in the wrong order" }
    guard let month = Month(month), (month.start..<month.end).contains(least) else { return "dates of another month" }
    return nil
  }

  private func faultOfIDs(_ file: File) -> String? {
    guard file.leastId != nil || file.greatestId != nil else { return nil }
    guard let ids = file.ids else { return "ids in the wrong order" }
    // The next id must be a valid number, too.
    let most = table == .cel ? Int64.min...Int64.max - 1 : Int64(Int32.min)...Int64(Int32.max)
    guard most.contains(ids.lowerBound), most.contains(ids.upperBound) else { return "ids that the table cannot have" }
    return nil
  }

  /// The smallest and greatest id of the part's rows; nil where they are missing or in the wrong
  /// order.
  public var ids: ClosedRange<Int64>? { files.first?.ids }

  /// A time in microseconds since 2000-01-01 UTC.
  static func instant(_ text: String) -> Int64? {
    var text = text
    return text.withUTF8 { bytes in
      if case .instant(let time)? = TimestampText.parse(Text(UnsafeRawBufferPointer(bytes))) { return time }
      return nil
    }
  }

  /// A value for a message: at most 40 characters, without control characters.
  private static func shown(_ text: String) -> String {
    "\"\(text.unicodeScalars.prefix(40).map { $0.value < 0x20 ? "?" : String($0) }.joined())\""
  }
}

extension Manifest.File {
  fileprivate var ids: ClosedRange<Int64>? {
    guard let leastId, let greatestId, leastId <= greatestId else { return nil }
    return leastId...greatestId
  }
}

extension Manifest.Origin {
  fileprivate var fault: String? {
    guard systemNumber != nil else { return "names a server, but not by a valid system identifier" }
    let oids = Int64(1)...Int64(UInt32.max)
    guard oids.contains(databaseOid), tableOid.map(oids.contains) ?? true else {
      return "names a database, but not by a valid oid"
    }
    return table.isEmpty ? "names no table" : nil
  }
}

extension FileContent {
  /// The columns that a restore needs.
  public var neededColumns: [String] {
    switch self {
    case .cel: ["id", "linkedid", "eventtime"]
    case .callLogs: ["id", "date", "tenant_uuid", "conversation_id"]
    case .participants, .destinations, .recordings: ["call_log_id"]
    }
  }

  /// The column of the id by which a part is checked. For rows that belong to a call log, it is the
  /// call log's id.
  var idColumn: String { neededColumns[0] }
}

extension UInt8 {
  fileprivate var isHexadecimalDigit: Bool { self &- UInt8(ascii: "0") < 10 || (self | 0x20) &- UInt8(ascii: "a") < 6 }
}
