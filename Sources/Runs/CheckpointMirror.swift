import Files
import Foundation
import Logging
import Store
import Values

/// A small file that repeats the coverage, for monitoring. No run decides by it which CELs are
/// covered. But if the file is ahead of the database, the database was restored to an earlier
/// state.
package struct CheckpointMirror {
  private let folder: String?
  private let table: CELTable
  private let database: String
  private let log: Logger
  private var lastWritten: Stopwatch?
  private var generation: Int64 = -1
  private var isBroken = false

  /// Creates the file's writer for a run; without a `checkpointDirectory` it writes nothing.
  package init(_ context: RunContext) {
    folder = context.settings.checkpointDirectory
    table = context.table
    database = context.databases.logs.server.database
    log = context.log
  }

  /// Every CEL table has its own file.
  private var name: String { "generate-\(table.identity.system)-\(table.identity.database)-\(table.identity.table).json" }

  private struct Content: Codable {
    struct Piece: Codable {
      var from: Int64
      var to: Int64
    }
    var database: String
    var celTable: String
    var generation: Int64
    var covered: [Piece]
    var written: String
  }

  /// Warns where the file shows a later generation than the database: then the database was
  /// restored from a backup.
  ///
  /// - Throws: an error of PostgreSQL where the checkpoint cannot be read.
  package func compare(_ context: RunContext) throws {
    guard let folder, let data = FileManager.default.contents(atPath: "\(folder)/\(name)"),
      let content = try? CheckpointMirror.decoder.decode(Content.self, from: data),
      content.generation > context.checkpoint.generation
    else { return }
    // Another run may have committed a chunk and written the file after this run read the
    // checkpoint. A checkpoint that is read after the file cannot be older than the file.
    let generation = try Checkpoint.read(table.identity, on: context.databases.logs)?.generation ?? 0
    guard content.generation > generation else { return }
    log.warning(
      "database \(database) went back in time, as after a restore from a backup: its checkpoint has generation \(generation), \(folder)/\(name) has \(content.generation) (\(content.written)); this run follows the database's coverage, and makes missing call logs again"
    )
  }

  /// Writes the file, at most once a second except at the end. If the folder cannot be written to,
  /// it warns once and the run continues.
  package mutating func write(_ checkpoint: Checkpoint, isEnd: Bool) {
    guard let folder, !isBroken, checkpoint.generation > generation,
      isEnd || lastWritten.map({ $0.seconds >= 1 }) ?? true
    else { return }
    let content = Content(
      database: database, celTable: table.name, generation: checkpoint.generation,
      covered: checkpoint.coverage.ranges.map { Content.Piece(from: $0.lowerBound, to: $0.upperBound - 1) },
      written: Date().ISO8601Format())
    do {
      let data = try CheckpointMirror.encoder.encode(content)
      try DurableFile.replace(name, in: folder, with: String(decoding: data, as: UTF8.self) + "\n")
      (lastWritten, generation) = (Stopwatch(), checkpoint.generation)
    } catch {
      isBroken = true
      log.warning("cannot write the checkpoint file for monitoring: \(error); checkpoint_dir sets another folder")
    }
  }

  private static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return encoder
  }

  private static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return decoder
  }
}
