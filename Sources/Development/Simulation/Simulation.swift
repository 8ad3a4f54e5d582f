/// The simulated CELs and directory of a telephone system: the calls of some tenants over some
/// days.
///
/// The options determine every byte. Repeated calls of `writeCELs(to:)` give the same. The
/// directory depends on `seed`, `users` and `tenants` alone. For more calls of the same system,
/// keep these three, and take a higher `firstID` and a later period.
public struct Simulation: Sendable {
  /// The options of the simulation.
  public let options: SimulationOptions
  private let directory: SimulatedDirectory
  private let random: RandomSource

  /// Bytes collected before they are handed on.
  private static let pieceSize = 1 << 20

  /// Makes the directory. Calls come later.
  ///
  /// - Throws: `SimulationOptions.Invalid` if the options cannot be simulated
  public init(_ options: SimulationOptions) throws(SimulationOptions.Invalid) {
    try options.validate()
    self.options = options
    var random = RandomSource(seed: options.seed)
    directory = SimulatedDirectory(users: options.users, tenants: options.tenants, random: &random)
    // Calls that are added to a system later, with higher ids, must not repeat the first ones.
    self.random = RandomSource(seed: random.next() ^ UInt64(bitPattern: options.firstID &* 0x5851_F42D_4C95_7F2D))
  }

  /// Writes all CELs as CSV for PostgreSQL's `COPY cel (…) FROM … (FORMAT csv, HEADER)`: the
  /// header, then one line for each CEL in the order of ids. Memory holds only the calls that are
  /// up at the same time.
  ///
  /// - Parameter write: takes the next bytes, about a megabyte at a time. It is not called again
  ///   after it has thrown.
  /// - Returns: a summary of the calls
  /// - Throws: the error of `write`
  @discardableResult
  public func writeCELs(to write: (UnsafeRawBufferPointer) throws -> Void) throws -> SimulationSummary {
    var summary = SimulationSummary()
    var random = random
    var arrivals = Arrivals(options)
    var deck = CallKindDeck()
    var builder = CallBuilder(directory: directory, random: RandomSource(seed: random.next()))
    var writer = CELWriter(firstID: options.firstID, random: RandomSource(seed: random.next()))
    writer.buffer.reserveCapacity(Self.pieceSize + (1 << 16))
    var queue = CallQueue()
    var scripts: [CallScript] = []
    var freeSlots: [Int] = []
    var call = 0
    var arrival = arrivals.next(using: &random)

    while true {
      if let start = arrival, start <= queue.first?.time ?? .max {
        let kind = deck.deal(using: &random)
        let slot = freeSlots.popLast() ?? scripts.count
        if slot == scripts.count { scripts.append(CallScript()) }
        swap(&builder.script, &scripts[slot])
        if builder.build(kind, at: start) { summary.callLogs += 1 }
        swap(&builder.script, &scripts[slot])
        summary.calls[kind, default: 0] += 1
        queue.push(.init(time: start, call: call, slot: slot))
        call += 1
        arrival = arrivals.next(using: &random)
        continue
      }
      guard var entry = queue.pop() else { break }
      let limit = min(arrival ?? .max, queue.first?.time ?? .max)
      repeat {
        writer.write(&scripts[entry.slot])
      } while scripts[entry.slot].continues(before: limit)
      if scripts[entry.slot].isOver {
        freeSlots.append(entry.slot)
      } else {
        entry.time = scripts[entry.slot].time
        queue.push(entry)
      }
      if writer.buffer.count >= Self.pieceSize {
        try writer.buffer.withUnsafeBytes(write)
        writer.buffer.removeAll(keepingCapacity: true)
      }
    }
    try writer.buffer.withUnsafeBytes(write)
    summary.cels = writer.cels
    return summary
  }

  /// The directory as JSON: `default_tenant_uuid`, `users`, `lines` with their extensions,
  /// `contexts`, `voicemails`.
  public func directoryJSON() -> [UInt8] {
    directory.json()
  }

  /// The directory as INSERT statements for Wazo's tables, which must exist; in one transaction.
  public func directorySQL() -> [UInt8] {
    directory.sql()
  }
}

extension CallScript {
  /// Whether the next row comes before the next ones of other calls. Rows that happen together stay
  /// together.
  fileprivate func continues(before limit: Int64) -> Bool {
    !isOver && (time < limit || rows[position].delay == 0)
  }
}
