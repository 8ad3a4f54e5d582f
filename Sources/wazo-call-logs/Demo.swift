import ArgumentParser
import Foundation
struct Demo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Show it at work on simulated calls, in a PostgreSQL of its own.")
  func run() async throws {}
}
