// swift-tools-version: 6.2

import PackageDescription

/// Named points, at which tests wait, fail or kill the program, and switches that leave safeguards
/// out: in builds for tests only.
let points: [SwiftSetting] = [.define("NAMED_POINTS", .when(configuration: .debug))]

// Verbs, options, --help and usage errors of the command line.
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
// Log levels and labels, so that the rooms need not know where the log goes.
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
// Settings from the environment and YAML files in one order of precedence, secrets kept out of
// print.
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
// YAML itself, where swift-configuration's reader rejects files that Wazo has: empty ones, lists of
// maps.
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
// The REST API's HTTP server: routes, TLS, streams with back-pressure.
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
// The parts of its server that are set: limits of headers and connections, TLS.
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
// Names of HTTP headers, which Hummingbird's interface is made of.
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
// Buffers, addresses and channels, which Hummingbird's interface is made of.
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
// Certificates and keys of a service that speaks TLS itself.
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
// Starts the service's parts in order, and ends them in order on a signal.
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
// The signals that end a service.
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
// Requests to wazo-auth: kept connections, TLS, time limits.
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
// SHA-256, behind the derived UUIDs, the archive's checksums and the tokens.
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

/// A room of tools for development, which no released program links.
func development(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, path: "Sources/Development/\(name)")
}

/// A program for development.
func developmentProgram(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies + [argumentParser], path: "Sources/Development/\(name)")
}

/// The tests of such a room.
func developmentTests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, path: "Tests/Development/\(name)")
}

let package = Package(
  name: "wazo-call-logs",
  products: [
    .executable(name: "wazo-call-logs", targets: ["wazo-call-logs"]),
    .executable(name: "wazo-call-logd", targets: ["wazo-call-logd"]),
    .executable(name: "demo-call-logs", targets: ["demo-call-logs"]),
    .executable(name: "simulate-calls", targets: ["simulate-calls"]),
    .executable(name: "private-server", targets: ["private-server"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.100.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.36.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
  ],
  targets: [
    // System libraries.
    .systemLibrary(
      name: "CLibPQ", path: "Sources/System/CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(
      name: "CZstd", path: "Sources/System/CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    // gzip, for `export -o calls.csv.gz`: people's programs open it, and often do not open zstd.
    .systemLibrary(name: "CZlib", path: "Sources/System/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // zip, for exports of recordings.
    .systemLibrary(
      name: "CArchive", path: "Sources/System/CArchive", pkgConfig: "libarchive",
      providers: [.apt(["libarchive-dev"])]),
    // SMTP, for the mails that say that an export is ready.
    .systemLibrary(
      name: "CCurl", path: "Sources/System/CCurl", pkgConfig: "libcurl",
      providers: [.apt(["libcurl4-openssl-dev"])]),

    // Rooms, from the bottom up. An arrow goes only downwards.
    .target(name: "Values"),
    .target(name: "Files", dependencies: ["Values"], swiftSettings: points),
    .target(name: "Compression", dependencies: ["CZstd", "CZlib", "Values"]),
    .target(name: "PostgreSQL", dependencies: ["CLibPQ", "Values", logging]),
    .target(name: "CallLogs", dependencies: ["Values", crypto]),
    // What each channel of a call did, and why its call log is what it is: out of CELs alone.
    .target(name: "Timelines", dependencies: ["Values", "CallLogs"]),
    .target(
      name: "SQL", path: "sql", exclude: ["grants.sql", "development"],
      resources: [.embedInCode("schema"), .embedInCode("directory")]),
    .target(name: "Settings", dependencies: ["Values", configuration, yams]),
    .target(name: "Archive", dependencies: ["Values", "Files", "Compression", "CallLogs", crypto], swiftSettings: points),
    .target(name: "Store", dependencies: ["Values", "PostgreSQL", "CallLogs", "SQL", logging]),
    .target(
      name: "Listing", dependencies: ["Values", "Files", "Compression", "PostgreSQL", "CallLogs", "Store", logging]),
    .target(
      name: "Runs", dependencies: ["Values", "Files", "PostgreSQL", "CallLogs", "Store", logging], swiftSettings: points),
    .target(
      name: "Generation", dependencies: ["Values", "PostgreSQL", "CallLogs", "Store", "Runs", logging],
      swiftSettings: points),
    .target(
      name: "Archiving",
      dependencies: ["Values", "Files", "PostgreSQL", "CallLogs", "Archive", "Store", "Runs", crypto, logging],
      swiftSettings: points),
    .target(
      name: "Inspection", dependencies: ["Values", "PostgreSQL", "CallLogs", "Store", "Runs", logging],
      swiftSettings: points),
    .target(name: "Interpreting", dependencies: ["Values", "Files", "Compression", "CallLogs"]),
    .target(name: "Terminal", dependencies: ["Values", "Files", logging]),
    // Who asks. Files is for the one durable write, crypto for the hashes of tokens.
    .target(name: "Authentication", dependencies: ["Values", "Files", crypto]),
    // What the REST API takes and answers, without HTTP. CallLogs is for the directions of calls,
    // Listing for the queries that parameters become, Authentication for who asks.
    .target(name: "API", dependencies: ["Values", "CallLogs", "Listing", "Authentication"]),

    // Threads that own a connection each, for a service that must not wait in its own.
    .target(name: "Lanes", dependencies: ["Values", "PostgreSQL", logging]),
    // The audio of one recording, and a tenant's retention.
    .target(
      name: "Recordings",
      dependencies: ["Values", "Files", "PostgreSQL", "CallLogs", "Archive", "Store", "Listing", logging]),
    // Exports of recordings: a durable job that makes one file of many recordings.
    .target(
      name: "Exports",
      dependencies: [
        "CArchive", "CCurl", "Values", "Files", "PostgreSQL", "CallLogs", "Archive", "Store", "Listing", "Recordings",
        logging,
      ]),
    // Asks wazo-auth who owns a token.
    .target(name: "WazoAuth", dependencies: ["Values", "Authentication", httpClient, crypto, logging]),
    // The REST API over HTTP.
    .target(
      name: "Service",
      dependencies: [
        "Values", "Files", "PostgreSQL", "CallLogs", "Timelines", "Store", "Listing", "Authentication", "API", "Lanes",
        "Recordings", "Exports", hummingbird, hummingbirdCore, hummingbirdTLS, httpTypes, nio, nioSSL, lifecycle, unixSignals,
        crypto, logging,
      ],
      resources: [.embedInCode("Resources"), .embedInCode("Web")]),

    // The service's program.
    .executableTarget(
      name: "wazo-call-logd",
      dependencies: [
        "Values", "Files", "PostgreSQL", "Settings", "Store", "Authentication", "API", "WazoAuth", "Recordings", "Exports",
        "Service", "Runs", "RunSetup", "Generation", "Terminal", argumentParser, lifecycle, logging,
      ]),

    // Settings as runs take them.
    .target(name: "RunSetup", dependencies: ["Values", "Files", "PostgreSQL", "CallLogs", "Settings", "Runs"]),

    // The program.
    .executableTarget(
      name: "wazo-call-logs",
      dependencies: [
        "RunSetup",
        "Values", "Files", "PostgreSQL", "CallLogs", "Settings", "Archive", "Store", "Listing", "Runs", "Generation",
        "Archiving", "Inspection", "Interpreting", "Authentication", "Terminal", argumentParser, logging,
      ],
      swiftSettings: points),

    // For development: calls to work on, servers to work in, measurements, the demo.
    .target(
      name: "DevelopmentSQL", dependencies: ["SQL"], path: "sql/development",
      resources: [.embedInCode("demo_reports.sql"), .embedInCode("demo_server.sql")]),
    development("PrivateServer", []),
    development("Simulation", ["Values"]),
    // Counts allocations and instructions.
    development("CCounters", []),
    development("PureParts", ["CCounters", "Values", "PostgreSQL", "CallLogs", "Store", "Simulation"]),
    developmentProgram("bench-call-logs", ["CallLogs", "PrivateServer", "PureParts", "Simulation", "DevelopmentSQL"]),
    developmentProgram(
      "bench-follow", ["Values", "PostgreSQL", "PrivateServer", "Simulation", "DevelopmentSQL", logging]),
    developmentProgram("private-server", ["PrivateServer"]),
    developmentProgram("simulate-calls", ["Simulation"]),
    developmentProgram(
      "demo-call-logs", ["Values", "PostgreSQL", "PrivateServer", "Simulation", "DevelopmentSQL", "Terminal", logging]),

    // Tests stand in the same folders as the rooms. What several of them share: databases, jobs run
    // in this process, a proxy that cuts connections, random numbers with a seed.
    .target(
      name: "TestSupport",
      dependencies: [
        "Values", "PostgreSQL", "CallLogs", "Archive", "Store", "Runs", "Generation", "Archiving", "PrivateServer",
        "Simulation", logging,
      ],
      path: "Tests/TestSupport"),
    .testTarget(name: "TestSupportTests", dependencies: ["PostgreSQL", "PrivateServer", "TestSupport"]),

    .testTarget(name: "ValuesTests", dependencies: ["Values", "TestSupport"]),
    .testTarget(name: "CompressionTests", dependencies: ["Compression", "TestSupport"]),
    .testTarget(name: "PostgreSQLTests", dependencies: ["Values", "PostgreSQL", "PrivateServer", "TestSupport", logging]),
    .testTarget(name: "CallLogsTests", dependencies: ["Values", "CallLogs", "TestSupport"]),
    .testTarget(name: "TimelinesTests", dependencies: ["Values", "CallLogs", "Timelines", "Simulation", "TestSupport"]),
    .testTarget(name: "SettingsTests", dependencies: ["Settings", "TestSupport"]),
    .testTarget(name: "ArchiveTests", dependencies: ["Values", "Files", "Compression", "Archive", "TestSupport"]),
    .testTarget(
      name: "StoreTests", dependencies: ["Values", "PostgreSQL", "CallLogs", "Store", "PrivateServer", "TestSupport"]),
    .testTarget(
      name: "ListingTests", dependencies: ["Values", "PostgreSQL", "CallLogs", "Store", "Listing", "TestSupport"]),
    .testTarget(
      name: "ListingQueryTests", dependencies: ["Values", "PostgreSQL", "CallLogs", "Store", "Listing", "TestSupport"]),
    .testTarget(name: "AuthenticationTests", dependencies: ["Values", "Authentication", "TestSupport"]),
    .testTarget(
      name: "APITests", dependencies: ["Values", "CallLogs", "Listing", "Authentication", "API", "TestSupport"]),
    .testTarget(name: "LanesTests", dependencies: ["PostgreSQL", "Lanes", "TestSupport"]),
    .testTarget(
      name: "RecordingsTests",
      dependencies: ["Values", "Files", "PostgreSQL", "CallLogs", "Store", "Listing", "Recordings", "TestSupport"]),
    .testTarget(
      name: "ExportsTests",
      dependencies: [
        "Values", "Files", "PostgreSQL", "CallLogs", "Store", "Listing", "Recordings", "Exports", "TestSupport",
      ]),
    // A wazo-auth of the tests' own: Hummingbird serves it.
    .target(
      name: "ServiceSupport",
      dependencies: ["Values", "Authentication", "WazoAuth", "TestSupport", hummingbird, hummingbirdTLS],
      path: "Tests/ServiceSupport"),
    .testTarget(
      name: "WazoAuthTests", dependencies: ["Values", "Authentication", "WazoAuth", "ServiceSupport", "TestSupport"]),
    .testTarget(
      name: "ServiceTests",
      dependencies: [
        "Values", "Files", "PostgreSQL", "CallLogs", "Store", "Listing", "Authentication", "API", "Lanes", "Recordings",
        "Exports", "Service", "WazoAuth", "PrivateServer", "ServiceSupport", "TestSupport", "wazo-call-logd", httpClient, nio,
        nioSSL, unixSignals, yams,
      ]),
    .testTarget(
      name: "RunsTests",
      dependencies: [
        "Values", "PostgreSQL", "CallLogs", "Store", "Runs", "Generation", "Inspection", "PrivateServer", "TestSupport",
      ]),
    .testTarget(
      name: "GenerationTests",
      dependencies: [
        "Values", "PostgreSQL", "CallLogs", "Store", "Runs", "Generation", "Inspection", "PrivateServer", "TestSupport",
      ]),
    .testTarget(
      name: "ArchivingTests",
      dependencies: [
        "Values", "Files", "PostgreSQL", "CallLogs", "Archive", "Store", "Runs", "Generation", "Archiving", "Inspection",
        "PrivateServer", "TestSupport",
      ],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "InspectionTests",
      dependencies: ["PostgreSQL", "CallLogs", "Store", "Runs", "Inspection", "PrivateServer", "TestSupport"]),
    // All verbs at once.
    .testTarget(
      name: "WholeTests",
      dependencies: ["Values", "PostgreSQL", "CallLogs", "Archive", "Store", "Runs", "Generation", "TestSupport"]),
    // Runs the programs themselves, which the dependencies get built.
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "PostgreSQL", "Archive", "Runs", "Archiving", "PrivateServer", "Simulation", "TestSupport", "wazo-call-logs",
        "wazo-call-logd",
        "simulate-calls", "private-server", httpClient, nio, nioHTTP,
      ],
      exclude: ["Program/Snapshots"]),

    // Reads the repository, and links nothing of it.
    .testTarget(name: "HouseTests"),

    developmentTests("PrivateServerTests", ["PrivateServer"]),
    developmentTests("SimulationTests", ["Simulation"]),
    developmentTests("PurePartsTests", ["CallLogs", "Simulation", "PureParts"]),
  ],
  swiftLanguageModes: [.v6]
)
