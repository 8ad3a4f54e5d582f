extension PrivateServer {
  /// Creates a database, empty or as a copy of another one without connections.
  /// - Throws: ``PrivateServerError`` with the message of psql
  public func createDatabase(_ name: String, template: String = "template0") throws(PrivateServerError) {
    try psql("CREATE DATABASE \(quote(name)) TEMPLATE \(quote(template))")
  }

  /// Removes a database if it exists, and ends the connections to it.
  /// - Throws: ``PrivateServerError`` with the message of psql
  public func dropDatabase(_ name: String) throws(PrivateServerError) {
    try psql("DROP DATABASE IF EXISTS \(quote(name)) WITH (FORCE)")
  }

  private func quote(_ name: String) -> String {
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
