extension Feed {
  /// What `/metrics` says of streams of events.
  var samples: [Metrics.Sample] {
    let counts = counts
    func sample(_ name: String, _ kind: String, _ help: String, _ value: Int) -> Metrics.Sample {
      Metrics.Sample(name: "wazo_call_logd_\(name)", kind: kind, help: help, values: [("", Double(value))])
    }
    return [
      sample("event_streams", "gauge", "Clients that get new call logs as they come.", counts.clients),
      sample("events_total", "counter", "Call logs sent to them.", counts.events),
      sample("event_gaps_total", "counter", "Gaps that clients were told of.", counts.gaps),
      sample("event_streams_cut_total", "counter", "Clients cut off since they were too slow.", counts.cut),
    ]
  }
}
