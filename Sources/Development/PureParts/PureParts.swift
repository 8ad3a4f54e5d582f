import CallLogs
import PostgreSQL
import Store
import Values

/// The work on a chunk between the server's COPY out and COPY in, on one thread and without a
/// server, measured part by part.
package struct PureParts: ~Copyable {
  /// The parts.
  package enum Part: String, CaseIterable {
    /// Rows of a binary COPY become CELs.
    case decode
    /// CELs become conversations.
    case group
    /// Conversations become call logs.
    case interpret
    /// Call logs become rows of binary COPYs into four tables.
    case encode
  }

  /// The cost of each part since the last ``reset()``.
  package private(set) var costs: [Part: Cost] = [:]
  /// CELs since then.
  package private(set) var cels = 0
  /// Call logs since then.
  package private(set) var callLogs = 0
  /// Bytes encoded since then.
  package private(set) var encoded = 0

  private var batch = CELBatch()
  private var grouping = Grouping()
  private var interpreter: Interpreter
  private var results = CallLogBatch()
  private var writer = BinaryRowWriter()
  private var numbers: [Int] = []
  private var ids: [Int32] = []

  package init(directory: Directory) {
    interpreter = Interpreter(
      directory: directory, defaultTenant: directory.defaultTenant ?? UUIDValue(high: 0x4000, low: 1 << 63))
  }

  /// Forgets the measurements. Memory stays warm.
  package mutating func reset() {
    costs = [:]
    (cels, callLogs, encoded) = (0, 0, 0)
  }

  /// Runs a chunk through all parts.
  /// - Throws: an error if a message cannot be decoded
  package mutating func run(_ chunk: borrowing CopiedCELs) throws {
    costs[.decode, default: Cost()] += try Cost.of("decode") { try decode(chunk) }
    costs[.group, default: Cost()] += Cost.of("group") { grouping.group(batch) }
    costs[.interpret, default: Cost()] += Cost.of("interpret") { interpret() }
    ids.removeAll(keepingCapacity: true)
    for number in numbers { ids.append(Int32(truncatingIfNeeded: callLogs + number)) }
    costs[.encode, default: Cost()] += Cost.of("encode") { encode() }
    cels += chunk.count
    callLogs += numbers.count
  }

  private mutating func decode(_ chunk: borrowing CopiedCELs) throws {
    batch.removeAll()
    var tally = Tally()
    var decoder = CELDecoder(from: 0)
    try chunk.forEachMessage { try decoder.decode($0, into: &batch, tally: &tally) }
  }

  private mutating func interpret() {
    results.removeAll()
    numbers.removeAll(keepingCapacity: true)
    for group in grouping.groups.indices {
      if case .callLog(let number) = interpreter.interpret(group: group, of: grouping, in: batch, into: &results) {
        numbers.append(number)
      }
    }
  }

  private mutating func encode() {
    for table in CallLogRows.allCases {
      writer.reset()
      _ = table.append(numbers, ids: ids, of: results, deletedRecordings: [], to: &writer)
      writer.trailer()
      encoded += writer.count
    }
  }
}
