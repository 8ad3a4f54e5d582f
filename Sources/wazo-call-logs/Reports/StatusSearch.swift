import CallLogs
import Inspection
import Store
import Terminal
import Values

/// What makes lists of call logs fast: counts and search indexes.
enum StatusSearch {
  static func lines(_ status: StatusJob.Status) -> [String] {
    var counts = status.areCountsKept ? "by tenant and hour" : "none (migrate --counts)"
    if let difference = status.countDifference {
      counts +=
        difference.wrong == 0
        ? ", right in all of \(Human.count(difference.hours, "hour"))"
        : ", wrong in \(Human.count(difference.wrong)) of \(Human.count(difference.hours, "hour"))"
    }
    let names = SearchIndex.allCases.filter(status.searchIndexes.contains).map(name)
    let indexes = names.isEmpty ? "none (migrate --search)" : names.joined(separator: ", ")
    return ["Counts        \(counts)", "Search index  \(indexes)"]
  }

  static func append(_ status: StatusJob.Status, to json: inout JSONWriter) {
    json.key("counts")
    json.open("{")
    json.flag("kept", status.areCountsKept)
    json.number("hours", status.countDifference?.hours)
    json.number("wrong_hours", status.countDifference?.wrong)
    json.close("}")
    json.key("search_indexes")
    json.open("{")
    json.flag("text", status.searchIndexes.contains(.text))
    json.flag("tags", status.searchIndexes.contains(.tags))
    json.close("}")
  }

  private static func name(_ index: SearchIndex) -> String {
    switch index {
    case .text: "text"
    case .tags: "tags"
    }
  }
}
