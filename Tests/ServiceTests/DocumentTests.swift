import Authentication
import Lanes
import PostgreSQL
import ServiceSupport
import TestSupport
import Testing
import Values
import Yams

@testable import Service

@Suite("The document of the API", .fewAtOnce)
struct DocumentTests {
  private struct Operation: Hashable, CustomStringConvertible {
    var method: String
    var path: String
    var description: String { "\(method) \(path)" }
  }

  private static let methods: Set<String> = ["get", "put", "post", "delete", "patch", "head", "options"]

  private static func routes() async -> [Route] {
    let settings = CallLogServiceSettings()
    func lanes() -> Lanes { Lanes(LaneSettings(connection: ConnectionParameters(applicationName: "none"), count: 1), log: quiet) }
    let desk = Desk(lists: lanes(), counts: lanes(), streams: lanes())
    let feed = Feed(settings.events, lanes: lanes(), waker: Waker(), log: quiet)
    let service = CallLogService(
      settings, authenticator: NoAuthenticator(tenant: uuid(0)), debug: DebugSwitch(false), log: quiet)
    let routes = service.routes(desk, feed) {}
    for lanes in [feed.lanes, desk.lists, desk.counts, desk.streams] { await lanes.close(grace: .zero) }
    return routes
  }

  private static func document() throws -> [Operation: [String: Any]] {
    let text = String(decoding: PackageResources.api_yml, as: UTF8.self)
    let document = try #require(try Yams.load(yaml: text) as? [String: Any])
    let paths = try #require(document["paths"] as? [String: [String: Any]])
    var operations: [Operation: [String: Any]] = [:]
    for (path, entries) in paths {
      for (method, entry) in entries where methods.contains(method) {
        operations[Operation(method: method.uppercased(), path: path)] = entry as? [String: Any] ?? [:]
      }
    }
    return operations
  }

  @Test("has every route with its method and its path, and nothing more")
  func routesStandThere() async throws {
    let routes = await DocumentTests.routes().map { Operation(method: $0.method.rawValue, path: $0.path) }
    #expect(Set(routes).count == routes.count)
    #expect(Set(routes) == Set(try DocumentTests.document().keys))
  }

  @Test("names the access that each route needs, and says which ones need none")
  func accesses() async throws {
    let document = try DocumentTests.document()
    for route in await DocumentTests.routes() {
      let operation = Operation(method: route.method.rawValue, path: route.path)
      let entry = try #require(document[operation])
      let text = try #require(entry["description"] as? String)
      switch route.access {
      case .open: #expect((entry["security"] as? [Any])?.isEmpty == true, "\(operation)")
      case .needed(let access):
        let named = try #require(text.firstMatch(of: /Needs `([^`]+)`/), "\(operation)").1
        // What stands in braces stands for the value in the path.
        let zero = UUIDValue(high: 0, low: 0).description
        let filled = named.replacing(/\{\w+_id\}/, with: "0").replacing(/\{\w+_uuid\}/, with: zero)
        #expect(filled == access(PathValues()), "\(operation)")
        for name in named.matches(of: /\{\w+\}/) { #expect(route.path.contains(name.0), "\(operation)") }
      }
    }
  }

  @Test("is served to anybody, as it stands")
  func served() async throws {
    try await withService { service, _, _ in
      let answer = try await service.ask("GET", "/api/api.yml")
      #expect(answer.status == 200 && answer.body == PackageResources.api_yml)
    }
  }
}
