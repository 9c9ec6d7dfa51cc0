package import Accounts
package import NIOCore

/// What a route has to say to a request.
package enum AdminReply: Sendable {
  case now(AdminResponse)
  /// The answer needs a turn of another event loop. The future is one of the given loop, and does not fail.
  case later(@Sendable (any EventLoop) -> EventLoopFuture<AdminResponse>)
  /// Server-sent events, without an end. A reader that missed some is told how many and is hung up on.
  case events(AsyncStream<AccountEvent>)
}
