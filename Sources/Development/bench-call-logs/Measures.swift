import ArgumentParser
import Foundation

/// The measures, each with its target.
struct Measures {
  let commands: Commands
  let runs: Int
  let workers: Int

  /// The measures that can be taken alone.
  enum Part: String, CaseIterable {
    case start, pure, rates, interpret, backfill, links, nightly, delete, archive

    static let names = allCases.map(\.rawValue).joined(separator: ", ")

    /// Parts from their names, separated by commas.
    static func set(_ list: String) throws -> Set<Part> {
      try Set(
        list.split(separator: ",").map { name in
          guard let part = Part(rawValue: String(name)) else { throw ValidationError("\(name) is not one of \(names)") }
          return part
        })
    }
  }

  /// Takes the measures and prints each at once.
  func take(_ parts: Set<Part>, _ scale: Bench.Scale) throws {
    if parts.contains(.start) {
      // Often, because it is short. The program is in the operating system's memory by then.
      let version = try Measures(commands: commands, runs: 21, workers: workers).median {
        try commands.run([commands.program, "--version"])
      }
      line("start (--version)", version, reach: "0.02 s")
    }
    if parts.contains(.pure) {
      print("\n(reach 1000000 CELs/s)")
      try Pure.parseOrExit(["--calls", "\(min(scale.calls, Bench.Scale.medium.calls))", "--runs", "\(runs)"]).table().forEach {
        print($0)
      }
      print()
    }
    if parts.contains(.rates) { try rates(scale) }
    guard !parts.isDisjoint(with: [.backfill, .links, .nightly, .delete, .interpret, .archive]) else { return }
    let stage = try Stage(commands, calls: scale.calls)
    print("\n\(stage.cels) CELs of \(stage.calls) calls, medians of \(runs)")
    if parts.contains(.interpret) {
      let interpreted = try median {
        try commands.run([
          "sh", "-c", "exec \"$0\" interpret --directory \"$1\" --format jsonl \"$2\" >/dev/null", commands.program,
          stage.directory,
          stage.csv,
        ])
      }
      line("interpret (CSV to JSON, one core)", interpreted, cels: stage.cels)
    }
    let floor = Floor(stage)
    if !parts.isDisjoint(with: [.backfill, .links]) {
      try backfills(stage, floor, parts)
    }
    if parts.contains(.nightly) {
      try nightly(stage, links: false, reach: ("0.15 s", "0.3 s"))
      try nightly(stage, links: true, reach: ("0.15 s", "1.0 s"))
    }
    if parts.contains(.delete) { try delete(stage, floor) }
    if parts.contains(.archive) { try archives(stage) }
  }

  /// Checks that CELs per second do not depend on the number of CELs.
  private func rates(_ scale: Bench.Scale) throws {
    for scale in scale.andSmaller {
      let stage = try Stage(commands, calls: scale.calls)
      let took = try median { try commands.wazo(stage.copy(), backfill(links: false)) }
      line("backfill of \(scale.calls) calls, links off", took, cels: stage.cels)
      try stage.drop(stage.loaded)
    }
  }

  func backfill(links: Bool, workers: Int? = nil) -> [String] {
    ["backfill", "--workers", "\(workers ?? self.workers)"] + (links ? [] : ["--no-link-cels"])
  }

  private func backfills(_ stage: Stage, _ floor: Floor, _ parts: Set<Part>) throws {
    let work = try stage.copy()
    let read = try median { try floor.read(work) }
    try commands.wazo(work, backfill(links: false))
    try floor.prepareWrite(work)
    let write = try median { try floor.write(work) }
    line("floor: COPY out of the CELs", read)
    line("floor: COPY in of the call logs", write)
    let rows = read.seconds + write.seconds
    if parts.contains(.backfill) {
      let one = try median { try commands.wazo(stage.copy(), backfill(links: false, workers: 1)) }
      line("backfill, links off, 1 worker", one, cels: stage.cels, floor: rows)
      let all = try median { try commands.wazo(stage.copy(), backfill(links: false)) }
      line("backfill, links off, \(workers) workers", all, cels: stage.cels, floor: rows, reach: "0.85, 200 MB")
    }
    if parts.contains(.links) {
      let update = try median { try floor.update(stage.copy()) }
      line("floor: UPDATE of call_log_id", update)
      let all = try median { try commands.wazo(stage.copy(), backfill(links: true)) }
      line(
        "backfill, links on, \(workers) workers", all, cels: stage.cels, floor: rows + update.seconds, reach: "0.90, 200 MB")
    }
  }

  private func nightly(_ stage: Stage, links: Bool, reach: (nothing: String, new: String)) throws {
    let work = try stage.copy()
    try commands.wazo(work, backfill(links: links))
    let options = links ? [] : ["--no-link-cels"]
    let nothing = try median { try commands.wazo(work, options) }
    let name = links ? "links on" : "links off"
    line("nightly run, nothing new, \(name)", nothing, reach: reach.nothing)
    var cels = 0
    let new = try median {
      cels = try stage.addNew(1330, to: work)
      return try commands.wazo(work, options)
    }
    line("nightly run, \(cels) new CELs, \(name)", new, reach: reach.new)
  }

  private func delete(_ stage: Stage, _ floor: Floor) throws {
    let done = "bench_done"
    try commands.wazo(stage.copy(as: done), backfill(links: true))
    try commands.sql(done, "VACUUM (FREEZE, ANALYZE)", "CHECKPOINT")
    let least = try median { try floor.delete(stage.copy(done)) }
    line("floor: DELETE and UPDATE", least)
    let all = try median {
      let copy = try stage.copy(done)
      // A copy is another database. This makes the checkpoint its own.
      try commands.wazo(copy, ["--adopt"])
      return try commands.wazo(copy, ["delete", "-A"])
    }
    line("delete -A of \(stage.calls) calls", all, floor: least.seconds, reach: "1.20")
    try stage.drop(done)
  }

  func line(
    _ what: String, _ took: Commands.Took, cels: Int? = nil, floor: Double? = nil, reach: String? = nil
  ) {
    func column(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }
    let name = what.padding(toLength: 42, withPad: " ", startingAt: 0)
    let rate = cels.map { String(format: "%.0f CELs/s", Double($0) / took.seconds) } ?? ""
    let ratio = floor.map { String(format: "%.2f of floor", took.seconds / $0) } ?? ""
    let line =
      name + column(String(format: "%.3f s", took.seconds), 11) + column(rate, 15) + column(ratio, 15)
      + column("\(took.memory >> 20) MB", 8) + (reach.map { "   (reach \($0))" } ?? "")
    print(line)
    fflush(nil)
  }

  func median(_ measure: () throws -> Commands.Took) throws -> Commands.Took {
    let taken = try (0..<runs).map { _ in try measure() }.sorted { $0.seconds < $1.seconds }
    return taken[taken.count / 2]
  }
}
