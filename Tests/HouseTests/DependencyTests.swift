import Foundation
import Testing

@Suite("What is linked")
struct DependencyTests {
  /// A program or a room, and how the names of targets, products and packages begin that it may not
  /// need, by whatever way.
  private static let forbidden: [(String, [String])] = [
    // What a server runs has nothing to make calls or servers with, and answers no requests.
    (
      "wazo-call-logs",
      ["Hummingbird", "hummingbird", "NIO", "swift-nio", "Simulation", "PrivateServer", "PureParts", "DevelopmentSQL"]
    ),
    // CELs of a file are read where no PostgreSQL is.
    ("interpret-cels", ["CLibPQ", "PostgreSQL", "Store", "Hummingbird", "hummingbird", "NIO", "swift-nio"]),
    ("Interpreting", ["CLibPQ", "PostgreSQL", "Store"]),
    ("CallLogs", ["CLibPQ", "PostgreSQL", "Store"]),
    ("Archive", ["CLibPQ", "PostgreSQL", "Store"]),
    ("Settings", ["CLibPQ", "PostgreSQL", "Store"]),
    // A server of a test's own and calls for it are told apart from the program under test.
    ("PrivateServer", ["PostgreSQL", "Store", "CallLogs"]),
    ("Simulation", ["PostgreSQL", "Store", "CallLogs"]),
  ]

  @Test("holds nothing that it may not", arguments: forbidden.map(\.0))
  func linked(name: String) throws {
    let graph = try Graph()
    // Programs that are yet to be written need nothing.
    guard graph.targets[name] != nil else { return }
    let reached = graph.reached(from: name)
    for start in DependencyTests.forbidden.first(where: { $0.0 == name })?.1 ?? [] {
      for other in reached.sorted() where other.hasPrefix(start) { Issue.record("\(name) needs \(other)") }
    }
  }

  @Test("by tests alone is needed by no program")
  func tests() throws {
    let graph = try Graph()
    #expect(graph.programs.contains("wazo-call-logs") && graph.reached(from: "CommandLineTests").contains("TestSupport"))
    for program in graph.programs { #expect(!graph.reached(from: program).contains("TestSupport"), "\(program)") }
  }
}

/// The targets of Package.swift, and what each needs.
private struct Graph {
  var targets: [String: Set<String>] = [:]
  var programs: [String] = []

  init() throws {
    struct Manifest: Decodable {
      struct Target: Decodable {
        var name: String
        var type: String
        var dependencies: [Dependency]
      }
      struct Dependency: Decodable {
        /// Names, and conditions, which are no texts.
        var product: [Name?]?
        var byName: [Name?]?
        var target: [Name?]?
        var names: [String] { ((product ?? []) + (byName ?? []) + (target ?? [])).compactMap { $0?.text } }
      }
      struct Name: Decodable {
        var text: String?
        init(from decoder: any Decoder) throws { text = try? decoder.singleValueContainer().decode(String.self) }
      }
      var targets: [Target]
    }
    let manifest = try JSONDecoder().decode(Manifest.self, from: Graph.described())
    for target in manifest.targets {
      targets[target.name] = Set(target.dependencies.flatMap(\.names))
      if target.type == "executable" { programs.append(target.name) }
    }
  }

  /// All that a target needs, by whatever way; of other packages the products and the packages'
  /// names.
  func reached(from name: String) -> Set<String> {
    var found: Set<String> = []
    var open = [name]
    while let next = open.popLast() {
      for other in targets[next] ?? [] where found.insert(other).inserted { open.append(other) }
    }
    return found
  }

  /// The manifest as SwiftPM reads it. In a folder of its own, for the one of the build is locked
  /// while tests run.
  private static func described() throws -> Data {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("manifest-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let output = folder.appendingPathComponent("package.json")
    _ = FileManager.default.createFile(atPath: output.path, contents: nil)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "swift", "package", "--package-path", Repository.root, "--scratch-path", folder.path, "dump-package",
    ]
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "swift package dump-package")
    return try Data(contentsOf: output)
  }
}
