import Foundation
import Simulation
import Values

/// A rate of calls for a time.
struct Phase {
  var rate: Double
  var seconds: Double
  /// How much faster calls are than real ones. Of calls of some 70 seconds the first ones would end
  /// after minutes.
  var speed: Double

  static func all(_ seconds: [Double], slowest: Double, speed: Double) -> [Phase] {
    zip([slowest, 10, 100], seconds).map { Phase(rate: $0, seconds: $1, speed: speed) }
  }

  var calls: Int { max(1, Int(rate * seconds)) }
}

/// Simulated CELs, and when to write each.
struct Traffic {
  struct Row: Sendable {
    /// Seconds after the beginning.
    var time: Double
    /// All but the id, which the sequence gives.
    var values: [String?]
    var linkedid: String
    var isEnd: Bool
  }

  private(set) var columns: [String] = []
  private(set) var rows: [Row] = []

  static func simulation(_ phase: Phase, number: Int, seed: UInt64) throws -> Simulation {
    // A call lasts 71 seconds on average.
    let concurrent = max(1, Int(phase.rate * 71 / phase.speed))
    return try Simulation(
      SimulationOptions(
        calls: phase.calls, seed: seed, until: 1_790_000_000_000_000 + Int64(number) * 864_000_000_000, users: 400, tenants: 2,
        firstID: 1 + Int64(number) * 100_000_000, concurrentCalls: concurrent))
  }

  init(_ phase: Phase, number: Int, seed: UInt64) throws {
    var reader = CSVReader()
    var (columns, rows, times) = ([String](), [Row](), [Int64]())
    var places: (time: Int, type: Int, linkedid: Int) = (0, 0, 0)
    try Traffic.simulation(phase, number: number, seed: seed).writeCELs { bytes in
      try reader.read(bytes) { fields, _ in
        let texts = fields.map { $0.isNull ? nil : $0.string }
        guard !columns.isEmpty else {
          columns = texts.map { $0 ?? "" }
          func place(_ name: String) -> Int { columns.firstIndex(of: name) ?? 0 }
          places = (place("eventtime"), place("eventtype"), place("linkedid"))
          return
        }
        // The order of rows is that of ids; the seconds are enough for when.
        let time = SimulatedTime.microseconds(fromISO: String((texts[places.time] ?? "").prefix(19))) ?? 0
        times.append(max(time, times.last ?? 0))
        rows.append(
          Row(
            time: 0, values: Array(texts.dropFirst()), linkedid: texts[places.linkedid] ?? "",
            isEnd: texts[places.type] == "LINKEDID_END"))
      }
    }
    // The rows of a second spread over it.
    let first = times.first ?? 0
    var start = 0
    while start < rows.count {
      let end = times[start...].firstIndex { $0 != times[start] } ?? rows.count
      for index in start..<end {
        let within = Double(index - start) / Double(end - start)
        rows[index].time = (Double(times[start] - first) / 1_000_000 + within) / phase.speed
      }
      start = end
    }
    // A call of an hour would make a phase of seconds last minutes.
    (self.columns, self.rows) = (Array(columns.dropFirst()), rows.filter { $0.time <= phase.seconds })
  }
}
