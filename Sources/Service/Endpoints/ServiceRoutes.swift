import API
import Authentication
import HTTPTypes
import Hummingbird
import Synchronization

/// What the service says of itself: its configuration, its state, its document.
struct ServiceRoutes: Sendable {
  let configuration: JSONValue
  let debug: DebugSwitch
  let authenticator: any Authenticator
  let health: Health

  var routes: [Route] {
    [
      Route(.get, "/config", .needed { _ in RequiredAccess.readConfiguration }) { visit in
        try await visit.checkMaster()
        return Answers.json(current)
      },
      Route(.patch, "/config", .needed { _ in RequiredAccess.updateConfiguration }) { visit in
        try await visit.checkMaster()
        if let isOn = try DebugPatch.read(try await visit.body()) { debug.isOn = isOn }
        return Answers.json(current)
      },
      Route(.get, "/status", .needed { _ in RequiredAccess.readStatus }) { _ in Answers.json(status) },
      Route(.get, "/api/api.yml", .open) { _ in
        Response(
          status: .ok, headers: [.contentType: "application/x-yaml"], body: Answers.body(PackageResources.api_yml))
      },
    ]
  }

  /// The configuration, with the log level as it is now.
  private var current: JSONValue {
    guard case .object(var fields) = configuration else { return configuration }
    fields.removeAll { $0.key == "debug" }
    fields.append(JSONValue.Field("debug", .flag(debug.isOn)))
    return .object(fields)
  }

  /// The three parts that Wazo's service has. The bus is not read yet, and so it is not well.
  private var status: JSONValue {
    func part(_ isWell: Bool) -> JSONValue { .fields(["status": .string(isWell ? "ok" : "fail")]) }
    return .fields([
      "bus_consumer": part(health.isBusWell), "task_queue": part(health.areExportsWell),
      "service_token": part(authenticator.isReady),
    ])
  }
}

/// Whether debug messages are logged. `PATCH /config` switches it.
public final class DebugSwitch: Sendable {
  private let flag: Atomic<Bool>

  /// A switch.
  public init(_ isOn: Bool) { flag = Atomic(isOn) }

  /// Whether they are.
  public var isOn: Bool {
    get { flag.load(ordering: .relaxed) }
    set { flag.store(newValue, ordering: .relaxed) }
  }
}

/// What parts of the service say of themselves.
final class Health: Sendable {
  private let bus = Atomic<Bool>(false)
  private let exports = Atomic<Bool>(true)

  var isBusWell: Bool {
    get { bus.load(ordering: .relaxed) }
    set { bus.store(newValue, ordering: .relaxed) }
  }

  var areExportsWell: Bool {
    get { exports.load(ordering: .relaxed) }
    set { exports.store(newValue, ordering: .relaxed) }
  }
}
