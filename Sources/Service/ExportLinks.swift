import Authentication
import Dispatch
import Exports
import Synchronization
import Values

/// The links in mails about exports.
struct ExportLinks: Sendable {
  let authenticator: any Authenticator
  /// Seconds for which the token of a link is valid.
  let validity: Int
  /// Whether a link without a token is of no use: wazo-auth gives tokens, a file of tokens does
  /// not.
  let needsToken: Bool

  /// The address of a download. The calling thread waits for the token.
  /// - Throws: ``JobError`` where no token can be had; the mail can be tried again
  func link(_ mail: ExportMail) throws -> String {
    let done = DispatchSemaphore(value: 0)
    let box = Box()
    Task { [authenticator, validity] in
      let fresh = await authenticator.exportToken(validFor: validity)
      box.token.withLock { $0 = fresh }
      done.signal()
    }
    done.wait()
    let address = "\(mail.baseURL)/exports/\(mail.export.uuid)/download?tenant=\(mail.export.tenant)"
    guard let fresh = box.token.withLock({ $0 }) else {
      guard needsToken else { return address }
      throw JobError(.unavailable, "wazo-auth gives no token for the link in a mail")
    }
    let allowed = fresh.utf8.allSatisfy { byte in
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
        || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
    guard allowed else { throw JobError(.badInput, "wazo-auth gave a token that a link cannot carry") }
    return address + "&token=\(fresh)"
  }

  private final class Box: Sendable {
    let token = Mutex<String?>(nil)
  }
}
