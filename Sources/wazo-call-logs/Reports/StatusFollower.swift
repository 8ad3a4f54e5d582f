import Inspection
import Settings
import Store
import Terminal
import Values

/// Who makes call logs as calls end, as `status` shows it.
enum StatusFollower {
  static func lines(_ status: StatusJob.Status, _ decision: Settings.FollowDecision) -> [String] {
    let heading = "Follower      "
    var lines = Human.wrapped(text(status.follower, decision), indent: heading.count)
    if let first = lines.first { lines[0] = heading + first.dropFirst(heading.count) }
    return lines
  }

  private static func text(_ follower: Follower?, _ decision: Settings.FollowDecision) -> String {
    guard let follower else {
      return decision.isOn ? "none: neither wazo-call-logd nor `wazo-call-logs follow` runs" : "none: \(decision.reason)"
    }
    let place = "process \(follower.pid) on \(follower.host)"
    guard follower.isAlive else {
      let age = Human.span(max(0, follower.age))
      return "\(place) gave its last sign of life \(age) ago: it was killed, frozen or cut off"
    }
    let rate = Human.count(follower.perMinute, "call log")
    return
      "\(place) since \(TimestampText.text(follower.since)); \(rate) in the last minute, \(Human.count(follower.ahead, "CEL")) behind"
  }

  static func append(_ status: StatusJob.Status, _ decision: Settings.FollowDecision, to json: inout JSONWriter) {
    json.key("follower")
    json.open("{")
    json.flag("is_alive", status.follower?.isAlive ?? false)
    json.string("host", status.follower?.host)
    json.number("pid", status.follower?.pid)
    json.time("since", status.follower?.since)
    json.number("cels_behind", status.follower?.ahead)
    json.number("call_logs_per_minute", status.follower?.perMinute)
    json.flag("is_wanted", decision.isOn)
    json.string("reason", decision.reason)
    json.close("}")
  }
}
