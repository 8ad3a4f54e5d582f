import PostgreSQL
import Values

/// The walk from linkedids to all linkedids of the same calls, through the channels that they
/// share.
///
/// The caller reads the rows of each round and passes on the channels that it has seen. After some
/// rounds the server follows the rest, because a chain of n calls would take n rounds.
struct CallWalk {
  private static let roundsOfOneStep = 4

  private let table: CELTable
  private let connection: Connection
  private let names: TextArena
  private var asked = TextInterner()
  private var rounds = 0

  /// Creates a walk that keeps its names in `names`.
  init(_ table: CELTable, names: TextArena, on connection: Connection) {
    (self.table, self.names, self.connection) = (table, names, connection)
  }

  /// Gives the linkedids that the walk has not given before.
  mutating func fresh(_ linkedids: [Text]) -> [Text] {
    linkedids.filter { text in
      guard asked.find(text) == nil else { return false }
      _ = asked.number(of: text) { names.copy($0) }
      return true
    }
  }

  /// Gives the next linkedids to read: those of these channels that the walk has not given before.
  mutating func next(from channels: [Text]) throws -> [Text] {
    rounds += 1
    let isLong = rounds >= CallWalk.roundsOfOneStep && table.unindexedColumns.isEmpty
    return fresh(
      isLong
        ? try table.linkedidsReached(from: channels, names, connection) : try table.linkedidsOf(channels, names, connection))
  }
}
