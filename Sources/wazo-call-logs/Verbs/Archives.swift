import Archive
import Archiving
import ArgumentParser
import Foundation
import PostgreSQL
import Terminal
import Values

struct Archives: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List or verify archives.",
    discussion: """
      Works on the files alone, without a database. Changes nothing.

      Examples:
        wazo-call-logs archives list     the parts, with rows, bytes and dates
        wazo-call-logs archives verify --archive-dir /mnt/archives
      """,
    subcommands: [List.self, Verify.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the parts of an archive, and files that belong to no part.",
      discussion: """
        Works without a database. Changes nothing.

        Examples:
          wazo-call-logs archives list
          wazo-call-logs archives list --format json | jq '.parts[].rows'
        """)

    @OptionGroup var place: ArchivePlace
    @Option(help: "How the result is printed: text or json.")
    var format = OutputFormat.text
    @OptionGroup var common: CommonOptions

    func run() async throws { try await Archives.run(place, format, common, verifies: false) }
  }

  struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read every file of an archive and compare it with its manifest.",
      discussion: """
        Reports each file that is damaged or missing, and its fault. The exit code is 65 then. It \
        is also 65 if the folder is missing or holds no part, since its disk may not be mounted. \
        Files that belong to no part are reported and left alone.

        Examples:
          wazo-call-logs archives verify
          wazo-call-logs archives verify --table call-logs --archive-dir COPY
        """)

    @OptionGroup var place: ArchivePlace
    @Option(help: "How the result is printed: text or json.")
    var format = OutputFormat.text
    @OptionGroup var common: CommonOptions

    func run() async throws { try await Archives.run(place, format, common, verifies: true) }
  }

  /// How many files without a part standard error names; the JSON list has all of them.
  private static let mostNamed = 5

  private static func run(_ place: ArchivePlace, _ format: OutputFormat, _ common: CommonOptions, verifies: Bool) async throws {
    try await Session.run(common, needsDatabase: false, more: place.texts) { session in
      let folder = try ArchivePlace.folder(session.settings)
      let job = ArchiveListing(folder: folder, kinds: try place.kinds(session.settings))
      let listing = try job.run(verifies: verifies) { part in
        if verifies { Console.progress("\(part)") }
      }
      Console.clearProgress()
      switch format {
      case .json: try Console.result(json(listing))
      case .text: try text(listing, verifies: verifies)
      }
      for entry in listing.faults { Console.error(entry.fault ?? "") }
      if listing.isEmpty { session.log.warning("\(ArchiveFolder.noPart(in: folder))") }
      for path in listing.unknown.prefix(mostNamed) { session.log.warning("\(path) belongs to no part; it is left alone") }
      if listing.unknown.count > mostNamed {
        session.log.warning("and \(listing.unknown.count - mostNamed) more belong to no part; they are left alone")
      }
      if !listing.faults.isEmpty { throw ExitCode(ExitReason.badInput.rawValue) }
    }
  }

  private static func text(_ listing: ArchiveListing.Listing, verifies: Bool) throws {
    guard !verifies else {
      if Console.isOutputTerminal, listing.faults.isEmpty {
        try Console.result("\(Human.count(listing.parts.count, "part")) verified.")
      }
      return
    }
    var table = TextTable(["Part", "Rows", "Bytes", "From", "To", "Run"], right: [1, 2, 5])
    for entry in listing.parts {
      guard let manifest = entry.manifest else {
        table.add(["\(entry.part)", "?", "?", "?", "?", "?"])
        continue
      }
      table.add([
        "\(entry.part)", Human.count(manifest.rows), Human.count(manifest.files.reduce(0) { $0 + $1.bytes }),
        manifest.files.first?.leastDate ?? "", manifest.files.first?.greatestDate ?? "", "\(manifest.run)",
      ])
    }
    try Console.result(table.lines(limit: 80).joined(separator: "\n"))
  }

  private static func json(_ listing: ArchiveListing.Listing) -> String {
    var json = JSONWriter()
    json.open("{")
    json.key("parts")
    json.open("[")
    for entry in listing.parts {
      json.open("{")
      json.string("manifest", "\(entry.part)")
      json.string("table", entry.part.kind.rawValue)
      json.string("month", "\(entry.part.month)")
      json.number("part", Int64(entry.part.number))
      json.number("rows", entry.manifest.map { Int64($0.rows) })
      json.number("bytes", entry.manifest.map { Int64($0.files.reduce(0) { $0 + $1.bytes }) })
      json.string("oldest", entry.manifest?.files.first?.leastDate)
      json.string("newest", entry.manifest?.files.first?.greatestDate)
      json.number("run", entry.manifest.map { Int64($0.run) })
      json.string("fault", entry.fault)
      json.close("}")
    }
    json.close("]")
    json.key("unknown")
    json.open("[")
    for var path in listing.unknown { path.withUTF8 { json.element(Text(UnsafeRawBufferPointer($0))) } }
    json.close("]")
    json.close("}")
    return String(decoding: json.out, as: UTF8.self)
  }
}
