import ArgumentParser

/// How a verb prints its result.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json
}
