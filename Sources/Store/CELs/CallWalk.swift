import PostgreSQL
import Values

/// The one walk from linkedids to all that are the same call with them, through the channels that they share.
///
/// The caller reads the rows of each round, in the shape that it needs, and hands over the channels that it has seen. After some rounds
/// of one step the server follows the rest to any depth: n calls that are joined one to the next would take n rounds.
struct CallWalk {
  private static let roundsOfOneStep = 4

  private let table: CELTable
  private let connection: Connection
  private let names: TextArena
  private var asked = TextInterner()
  private var rounds = 0

  /// A walk that keeps the names that it finds in `names`.
  init(_ table: CELTable, names: TextArena, on connection: Connection) {
    (self.table, self.names, self.connection) = (table, names, connection)
  }

  /// Those that the walk has not given yet. From now on it has.
  mutating func fresh(_ linkedids: [Text]) -> [Text] {
    linkedids.filter { text in
      guard asked.find(text) == nil else { return false }
      _ = asked.number(of: text) { names.copy($0) }
      return true
    }
  }

  /// The linkedids that are to be read next: those of these channels that the walk has not given yet.
  mutating func next(from channels: [Text]) throws -> [Text] {
    rounds += 1
    let isLong = rounds >= CallWalk.roundsOfOneStep && table.unindexedColumns.isEmpty
    return fresh(
      isLong
        ? try table.linkedidsReached(from: channels, names, connection) : try table.linkedidsOf(channels, names, connection))
  }
}
