import Values

/// Everything in a manifest is looked at before anything relies on it.
extension Manifest {
  /// More than any file has, and little enough for sums of sizes.
  private static let mostBytes = 1 << 46

  /// What cannot be true; nil where nothing was found.
  var fault: String? {
    guard encoding == "UTF8" || encoding == "SQL_ASCII" else {
      return "names the encoding \(Manifest.shown(encoding)), which no archive has"
    }
    guard !database.isEmpty else { return "names no database" }
    guard run >= 0, run <= Int32.max else { return "names a run \(run), which cannot be" }
    guard Manifest.instant(written) != nil else {
      return "says that it was written at \(Manifest.shown(written)), which is no time"
    }
    guard tenants.allSatisfy({ UUIDValue($0) != nil }) else { return "names a tenant that is no UUID" }
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
    // A row has a line, and so has the header.
    guard file.rows >= 0, file.rows < file.contentBytes else { return "\(file.rows) rows in \(file.contentBytes) bytes" }
    guard [file.sha256, file.contentSha256].allSatisfy({ $0.utf8.count == 64 && $0.utf8.allSatisfy(\.isHexadecimalDigit) }) else {
      return "an SHA-256 of another form"
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
    // The next id must be a number, too.
    let most = table == .cel ? Int64.min...Int64.max - 1 : Int64(Int32.min)...Int64(Int32.max)
    guard most.contains(ids.lowerBound), most.contains(ids.upperBound) else { return "ids that the table cannot have" }
    return nil
  }

  /// The least and the greatest id of the part's rows; nil where they are missing or in the wrong order.
  public var ids: ClosedRange<Int64>? { files.first?.ids }

  /// Microseconds since 2000-01-01 UTC.
  static func instant(_ text: String) -> Int64? {
    var text = text
    return text.withUTF8 { bytes in
      if case .instant(let time)? = TimestampText.parse(Text(UnsafeRawBufferPointer(bytes))) { return time }
      return nil
    }
  }

  /// A value in a message, not longer than it may be.
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
    guard systemNumber != nil else { return "names a server by what is no system identifier" }
    let oids = Int64(1)...Int64(UInt32.max)
    guard oids.contains(databaseOid), tableOid.map(oids.contains) ?? true else { return "names a database by what is no oid" }
    return table.isEmpty ? "names no table" : nil
  }
}

extension FileContent {
  /// Columns without which rows cannot be restored.
  public var neededColumns: [String] {
    switch self {
    case .cel: ["id", "linkedid", "eventtime"]
    case .callLogs: ["id", "date", "tenant_uuid", "conversation_id"]
    case .participants, .destinations, .recordings: ["call_log_id"]
    }
  }

  /// The column with the id that a part is known by: of what belongs to a call log, that of the call log.
  var idColumn: String { neededColumns[0] }
}

extension UInt8 {
  fileprivate var isHexadecimalDigit: Bool { self &- UInt8(ascii: "0") < 10 || (self | 0x20) &- UInt8(ascii: "a") < 6 }
}
