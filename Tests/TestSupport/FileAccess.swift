import Glibc

/// Runs the closure with the file access of a user that is not root.
package func asNobody<T>(_ body: () throws -> T) rethrows -> T {
  // The ids of file access belong to the thread (setfsuid(2)), and Swift does not import it.
  typealias Setting = @convention(c) (UInt32) -> Int32
  guard geteuid() == 0, let symbol = dlsym(nil, "setfsuid") else { return try body() }
  let setfsuid = unsafeBitCast(symbol, to: Setting.self)
  _ = setfsuid(65534)
  defer { _ = setfsuid(0) }
  return try body()
}
