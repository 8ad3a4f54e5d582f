import Crypto
import Files
import Foundation
import Synchronization
import Values

/// The file of tokens: who may ask, where no Wazo knows them. It can be used from any thread.
///
/// A line is a token, as ``TokenEntry`` says; empty lines and lines that begin with `#` are for
/// people. One bad line makes the whole file unusable: a line that was skipped could be the one
/// that takes a right away.
///
/// Only the file's owner may have rights to it. It is read again when it has changed.
public final class TokensFile: Sendable {
  /// Where it is.
  public let path: String
  private let known = Mutex<(version: Version, entries: [TokenEntry])?>(nil)

  /// The file of that path, which need not exist yet.
  public init(_ path: String) { self.path = path }

  // MARK: Asking

  /// What a token gives; nil for one that is not in the file, or that is no longer valid.
  ///
  /// It takes the same time for every token of a length: the token is hashed, and the hash is
  /// compared with that of every line to its last byte.
  /// - Parameters:
  ///   - master: the tenant of a token that sees all
  ///   - now: the time
  /// - Throws: ``JobError``: the file is missing, damaged or open to others
  public func caller(token: String, master: UUIDValue, at now: Timestamp) throws(JobError) -> Caller? {
    let entries = try entries()
    // Nobody's, although it has a hash.
    guard !token.isEmpty else { return nil }
    let digest = TokensFile.digest(of: token)
    var found: TokenEntry?
    for entry in entries where TokensFile.areEqual(entry.digest, digest) { found = entry }
    guard let found, !found.isExpired(at: now) else { return nil }
    return found.caller(master: master)
  }

  /// The tokens, in the order of the file.
  /// - Throws: ``JobError``: the file is missing, damaged or open to others
  public func entries() throws(JobError) -> [TokenEntry] {
    let file = try open()
    defer { close(file.descriptor) }
    if let entries = known.withLock({ $0.flatMap { $0.version == file.version ? $0.entries : nil } }) { return entries }
    let entries = try parse(TokensFile.lines(of: try read(file.descriptor)))
    if file.isSettled { known.withLock { $0 = (file.version, entries) } }
    return entries
  }

  // MARK: Changing

  /// A new token of 256 random bits.
  ///
  /// The file is made where it is missing, for its owner only.
  /// - Returns: the token, which is nowhere else and cannot be had again.
  /// - Throws: ``JobError``: a name that exists or cannot be one, a bad access, a file that cannot
  ///   be written
  public func create(
    name: String, tenants: TokenEntry.Tenants, user: UUIDValue? = nil, accesses: [String], expiry: Timestamp? = nil
  ) throws(JobError) -> String {
    guard TokenEntry.isName(name) else {
      throw JobError(.usage, "the name of a token is 1 to 64 letters, digits, dots, hyphens and underscores")
    }
    for access in accesses where !TokenEntry.isAccess(access) {
      throw JobError(.usage, "\"\(access)\" is no access: it is words with dots between, such as call-logd.cdr.read")
    }
    let token = TokensFile.freshToken()
    let entry = TokenEntry(
      name: name, digest: TokensFile.digest(of: token), tenants: tenants, user: user, accesses: accesses, expiry: expiry)
    // What cannot be read back must not be written, such as an expiry in the year 12000.
    guard (try? TokenEntry(line: entry.line[...])) == entry else {
      throw JobError(.usage, "the expiry of a token lies between the years 1 and 9999 and has no fraction of a second")
    }
    try change { (lines, entries) throws(JobError) -> Void in
      guard !entries.contains(where: { $0.name == name }) else {
        throw JobError(.usage, "there is a token named \(name) in \(path) already; revoke it first")
      }
      lines.append(entry.line[...])
    }
    return token
  }

  /// Takes a token out of the file.
  /// - Returns: whether there was one of that name.
  /// - Throws: ``JobError``: a file that cannot be read or written
  public func revoke(_ name: String) throws(JobError) -> Bool {
    var isThere = false
    try change { (lines, entries) throws(JobError) -> Void in
      isThere = entries.contains { $0.name == name }
      lines.removeAll { line in
        !TokensFile.isForPeople(line) && line.split { $0 == " " || $0 == "\t" }.first.map(String.init) == name
      }
    }
    return isThere
  }

  /// Replaces the file by one with other lines; what people wrote between them stays.
  private func change(_ edit: (inout [Substring], [TokenEntry]) throws(JobError) -> Void) throws(JobError) {
    let url = URL(fileURLWithPath: path)
    let name = url.lastPathComponent
    let folder = try TokensFile.onDisk { () throws(FileError) -> Folder in
      try Folder.root(url.deletingLastPathComponent().path, creates: true)
    }
    // Two that change it at once would lose the token of the first.
    let lock = try TokensFile.onDisk { () throws(FileError) -> Folder.Lock in try folder.lock() }
    if case .busy = lock { throw JobError(.busy, "another program has locked the folder of \(path); try again") }

    var lines: [Substring] = []
    var old: stat?
    var entries: [TokenEntry] = []
    if access(path, F_OK) == 0 || errno != ENOENT {
      let file = try open()
      defer { close(file.descriptor) }
      lines = TokensFile.lines(of: try read(file.descriptor))
      entries = try parse(lines)
      if lines.last?.isEmpty == true { lines.removeLast() }
      old = file.status
    }
    try edit(&lines, entries)

    let temporary = ".\(name).\(ProcessInfo.processInfo.processIdentifier)"
    let content = lines.map { $0 + "\n" }.joined()
    try TokensFile.onDisk { () throws(FileError) in
      try folder.remove(temporary)
      let file = try DurableFile(name, temporary: temporary, in: folder, mode: 0o600, isSole: true)
      // The service may run as another user than who changes its tokens.
      if let old { file.take(rightsOf: old) }
      try file.write(content)
      try file.finish(.replacing)
    }
  }

  /// Does something with files, and says what went wrong as a job does.
  private static func onDisk<T>(_ body: () throws(FileError) -> T) throws(JobError) -> T {
    do throws(FileError) {
      return try body()
    } catch {
      throw JobError(error.isRefusal ? .permission : .inputOutput, error.description)
    }
  }

  // MARK: The file

  /// By what a change of the file is seen.
  private struct Version: Equatable {
    let inode: UInt64
    let size: Int64
    let seconds: Int
    let nanoseconds: Int

    init(_ status: stat) {
      (inode, size) = (UInt64(status.st_ino), Int64(status.st_size))
      (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }
  }

  private struct OpenFile {
    let descriptor: Int32
    let status: stat
    var version: Version { Version(status) }

    /// Whether a further change would show. One within the same tick of the file system's clock may
    /// not, so that a file that has just changed is read each time.
    var isSettled: Bool { time(nil) - status.st_mtim.tv_sec > 2 }
  }

  private func open() throws(JobError) -> OpenFile {
    // A named pipe in its place must not hold the program up.
    let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failed("cannot open the file of tokens \(path)") }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = failed("cannot look at the file of tokens \(path)")
      close(descriptor)
      throw error
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw JobError(.configuration, "\(path) is no file, and so no file of tokens")
    }
    guard status.st_mode & 0o077 == 0 else {
      close(descriptor)
      throw JobError(.configuration, "others than its owner have rights to the file of tokens \(path): run `chmod 600 \(path)`")
    }
    return OpenFile(descriptor: descriptor, status: status)
  }

  private func read(_ descriptor: Int32) throws(JobError) -> String {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Foundation.read(descriptor, &piece, piece.count)
      if count == 0 { break }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failed("cannot read the file of tokens \(path)") }
      bytes += piece[..<count]
      guard bytes.count <= 4 << 20 else { throw JobError(.configuration, "\(path) is far too long for a file of tokens") }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw JobError(.configuration, "the file of tokens \(path) is no UTF-8")
    }
    return text
  }

  private func failed(_ attempt: String) -> JobError {
    let reason: ExitReason = errno == EACCES || errno == EPERM ? .permission : .configuration
    return JobError(reason, "\(attempt): \(String(cString: strerror(errno)))")
  }

  private static func isForPeople(_ line: Substring) -> Bool {
    line.first { $0 != " " && $0 != "\t" }.map { $0 == "#" } ?? true
  }

  /// The lines of a text, of which the last is empty where the text ends with a line end.
  ///
  /// They are split byte by byte, for Swift takes CR and LF together for one character that is no
  /// line end.
  private static func lines(of text: String) -> [Substring] {
    text[...].utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Substring($0) }
  }

  private func parse(_ lines: [Substring]) throws(JobError) -> [TokenEntry] {
    var entries: [TokenEntry] = []
    var mistakes: [String] = []
    for (number, line) in lines.enumerated() where !TokensFile.isForPeople(line) {
      do throws(TokenEntry.Mistake) {
        let entry = try TokenEntry(line: line)
        if entries.contains(where: { $0.name == entry.name }) {
          throw TokenEntry.Mistake("there is a token of this name above")
        }
        if entries.contains(where: { $0.digest == entry.digest }) { throw TokenEntry.Mistake("this token stands above already") }
        entries.append(entry)
      } catch {
        mistakes.append("line \(number + 1): \(error.description)")
      }
    }
    guard mistakes.isEmpty else {
      throw JobError(.configuration, "the file of tokens \(path) is not used: \(mistakes.joined(separator: "; "))")
    }
    return entries
  }

  // MARK: Tokens

  /// 256 random bits as 43 characters that URLs and headers take as they are.
  private static func freshToken() -> String {
    var random = SystemRandomNumberGenerator()
    let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
    return Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  private static func digest(of token: String) -> [UInt8] { Array(SHA256.hash(data: Data(token.utf8))) }

  /// Whether two hashes are equal, in a time that does not tell where they differ.
  private static func areEqual(_ one: [UInt8], _ two: [UInt8]) -> Bool {
    guard one.count == two.count else { return false }
    var difference: UInt8 = 0
    for (a, b) in zip(one, two) { difference |= a ^ b }
    return difference == 0
  }
}
