// swift-tools-version: 6.2

import PackageDescription

/// Named points, at which tests wait, fail or kill the program, and switches that leave safeguards out: in builds for tests only.
let points: [SwiftSetting] = [.define("NAMED_POINTS", .when(configuration: .debug))]

let package = Package(
  name: "wazo-call-logs",
  products: [
    .executable(name: "wazo-call-logs", targets: ["wazo-call-logs"]),
    .executable(name: "simulate-calls", targets: ["simulate-calls"]),
    .executable(name: "private-server", targets: ["private-server"]),
  ],
  dependencies: [
    // Verbs, options, --help and usage errors of the command line.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // Log levels and labels, so that the rooms need not know where the log goes.
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    // Settings from the environment and YAML files in one order of precedence, secrets kept out of print.
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
    // YAML itself, where swift-configuration's reader of it rejects files that Wazo has (empty ones, lists of maps).
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    // SHA-256 behind the derived UUIDs.
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
  ],
  targets: [
    // System libraries.
    .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    // gzip, for `export -o calls.csv.gz`: what people's programs open, zstd they often do not.
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // Rooms, from the bottom up.
    .target(
      name: "CallLogs",
      dependencies: [.product(name: "Crypto", package: "swift-crypto")]),
    .target(
      name: "PostgreSQL",
      dependencies: ["CLibPQ", .product(name: "Logging", package: "swift-log")]),
    .target(name: "Zstandard", dependencies: ["CZstd"]),
    .target(name: "Gzip", dependencies: ["CZlib"]),
    .target(
      name: "Archive", dependencies: ["CallLogs", "Zstandard", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: points),
    .target(
      name: "SQL",
      path: "sql",
      exclude: ["grants.sql"],
      resources: [.embedInCode("schema"), .embedInCode("directory"), .embedInCode("demo")]),
    .target(
      name: "Settings",
      dependencies: [.product(name: "Configuration", package: "swift-configuration"), .product(name: "Yams", package: "Yams")]),
    .target(
      name: "Store",
      dependencies: ["CallLogs", "PostgreSQL", "SQL", .product(name: "Logging", package: "swift-log")]),
    .target(
      name: "Jobs",
      dependencies: [
        "Store", "Archive", "Zstandard", "Gzip", .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: points),

    // Helpers of demo, bench and the tests.
    .target(name: "PrivateServer"),
    .target(name: "Simulation"),
    // Counts allocations and instructions: of the bench and the tests, never of the program.
    .target(name: "CCounters"),
    .target(name: "PureParts", dependencies: ["CCounters", "CallLogs", "PostgreSQL", "Store", "Simulation"]),

    // Programs.
    .executableTarget(
      name: "wazo-call-logs",
      dependencies: [
        "Jobs", "Archive", "Settings", "Store", "PrivateServer", "Simulation",
        .product(name: "ArgumentParser", package: "swift-argument-parser"), .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: points),
    .executableTarget(
      name: "bench-call-logs",
      dependencies: [
        "PrivateServer", "PureParts", "Simulation", "SQL",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(
      name: "private-server",
      dependencies: ["PrivateServer", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
    .executableTarget(
      name: "simulate-calls",
      dependencies: [
        "Simulation", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // Tests mirror the rooms.
    .testTarget(name: "CallLogsTests", dependencies: ["CallLogs"]),
    .testTarget(name: "PostgreSQLTests", dependencies: ["PostgreSQL", "PrivateServer"]),
    .testTarget(name: "ZstandardTests", dependencies: ["Zstandard"]),
    .testTarget(name: "GzipTests", dependencies: ["Gzip"]),
    .testTarget(name: "ArchiveTests", dependencies: ["Archive", "Zstandard", "TestDatabases"]),
    .testTarget(name: "SettingsTests", dependencies: ["Settings"]),
    .testTarget(name: "SimulationTests", dependencies: ["Simulation"]),
    .testTarget(name: "PurePartsTests", dependencies: ["PureParts", "CallLogs", "Simulation"]),
    .target(
      name: "TestDatabases",
      dependencies: ["PostgreSQL", "PrivateServer", "Simulation", .product(name: "Logging", package: "swift-log")],
      path: "Tests/TestDatabases"),
    .testTarget(name: "StoreTests", dependencies: ["Store", "TestDatabases", "CallLogs", "PostgreSQL", "PrivateServer"]),
    .testTarget(
      name: "JobsTests",
      dependencies: [
        "Jobs", "Archive", "Store", "TestDatabases", "CallLogs", "PostgreSQL", "PrivateServer",
        .product(name: "Logging", package: "swift-log"),
      ],
      exclude: ["Fixtures"], swiftSettings: points),
    // Runs the programs themselves, which the dependencies get built.
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "PrivateServer", "Simulation", "Jobs", "Archive", "TestDatabases", "wazo-call-logs", "simulate-calls", "private-server",
      ],
      exclude: ["Snapshots"], swiftSettings: points),
  ],
  swiftLanguageModes: [.v6]
)
