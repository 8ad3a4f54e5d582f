import Authentication
import Foundation
import ServiceSupport
import TestSupport
import Testing
import Values
import WazoAuth

/// wazo-auth behind TLS, with a certificate that signs itself for 127.0.0.1 until the year 2120.
@Suite("wazo-auth over TLS")
struct TLSTests {
  static let certificate = """
    -----BEGIN CERTIFICATE-----
    MIIBgTCCASegAwIBAgIUUv2OcNQtTad+BeUdEvnZG3opeT8wCgYIKoZIzj0EAwIw
    HTEbMBkGA1UEAwwSd2F6by1hdXRoIG9mIHRlc3RzMCAXDTIwMDEwMTAwMDAwMFoY
    DzIxMjAwMTAxMDAwMDAwWjAdMRswGQYDVQQDDBJ3YXpvLWF1dGggb2YgdGVzdHMw
    WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASdQJEMIwMSyXaaqJ4cz60SuJgfwOGA
    A07lYBh58xsk4oMK1ML8E+SiagtcJj5VptplQHmLp/AomYYF6kISu/o/o0MwQTAP
    BgNVHREECDAGhwR/AAABMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFKsovJ7T
    q2OXPopKk5/3t1kL+xltMAoGCCqGSM49BAMCA0gAMEUCIFwphFD7bM02Q4wkwBb1
    dNOQRnmOyDpcsF5B5idgOF9EAiEA+KLRcigNXRemA3vYcHlHdp3bvTbf4iGRSQCu
    c/YcBv4=
    -----END CERTIFICATE-----
    """
  /// It opens nothing but the server of this test.
  static let key = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQggP6vcCszXYobBIUX
    Vcv93574ueKDwqbBUfmaLFqQ8oWhRANCAASdQJEMIwMSyXaaqJ4cz60SuJgfwOGA
    A07lYBh58xsk4oMK1ML8E+SiagtcJj5VptplQHmLp/AomYYF6kISu/o/
    -----END PRIVATE KEY-----
    """

  /// Asks a wazo-auth that has the certificate.
  private func ask(
    _ verification: WazoAuthSettings.Verification
  ) async throws -> Result<UUIDValue, AuthenticationError> {
    var state = WazoAuthOfTests.State()
    state.tokens["s3cr3t-token"] = .init(tenant: uuid(1))
    let wazoAuth = WazoAuthOfTests(state)
    let port = try await wazoAuth.start(certificate: (Self.certificate, Self.key))
    let authenticator = try WazoAuthenticator(
      .init(host: "127.0.0.1", port: port, usesTLS: true, verification: verification), log: LogRecorder().logger)
    let said = await outcome { () async throws(AuthenticationError) in
      try await authenticator.identity(of: "s3cr3t-token", for: someAccess, tenant: nil).tenant
    }
    await authenticator.shutdown()
    await wazoAuth.stop()
    if said.failure != nil { #expect(wazoAuth.requests.isEmpty, "the token was sent to somebody unknown") }
    return said
  }

  private func expectRefused(_ said: Result<UUIDValue, AuthenticationError>, _ location: SourceLocation = #_sourceLocation) {
    guard case .failure(.unreachable(_, _, let reason)) = said else {
      Issue.record("\(said)", sourceLocation: location)
      return
    }
    #expect(reason.contains("certificate") && !reason.contains("s3cr3t"), "\(reason)", sourceLocation: location)
  }

  @Test("a certificate that nobody known has signed gets no token, unless its authority is named, or none is asked for")
  func verification() async throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("authority-\(UUID().uuidString).pem").path
    try Data(Self.certificate.utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    expectRefused(try await ask(.system))
    #expect(try await ask(.authority(path)).get() == uuid(1))
    #expect(try await ask(.nobody).get() == uuid(1))
  }
}
