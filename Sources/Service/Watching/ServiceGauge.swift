/// A number that a program adds to the service's metrics.
public struct ServiceGauge: Sendable {
  /// Its name behind `wazo_call_logd_`.
  public let name: String
  /// What it says.
  public let help: String
  /// Whether it only grows.
  public let isCounter: Bool
  /// The number.
  public let value: Double

  /// A number of that name.
  public init(_ name: String, _ help: String, isCounter: Bool = false, _ value: Double) {
    (self.name, self.help, self.isCounter, self.value) = (name, help, isCounter, value)
  }

  var sample: Metrics.Sample {
    Metrics.Sample(
      name: "wazo_call_logd_\(name)", kind: isCounter ? "counter" : "gauge", help: help, values: [("", value)])
  }
}
