import API
import Authentication
import Hummingbird
import Lanes
import PostgreSQL

extension PageRoutes {
  /// The part of a call's page that is about its events. Without it, where the token lists calls and
  /// may not see their events.
  func timeline(_ visit: Visit, _ reader: PageReader, _ call: ShownCall, _ zone: PageZone) async throws -> Markup {
    let text = TimelineText(language: PageText.of(visit.request).language)
    let isOwn = reader.me != nil
    if !isOwn {
      let session = gate.sessions.session(of: visit.request.headers, isSecure: visit.requester.usesTLS)
      let access = RequiredAccess.readEvents(ofCallLog: visit.path.callLog)
      do throws(AuthenticationError) {
        _ = try await gate.authenticator.identity(of: session?.token ?? "", for: access, tenant: nil)
      } catch {
        return ""
      }
    }
    do {
      let story = try await CallStory.of(call, tenants: reader.tenants, participant: reader.me, at: desk)
      return TimelineSection(text: text, call: call, story: story, zone: zone, isOwn: isOwn).markup
    } catch is LaneError, is PostgreSQLError {
      // The call itself can be shown.
      return TimelineSection.unavailableNow(text)
    }
  }
}
