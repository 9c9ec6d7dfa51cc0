/// Why a stream is no longer there.
package enum StreamClosure: Sendable, Hashable {
  /// Closed with NO_ERROR: both sides ended it, or the peer answered early and wants no more of the request.
  case finished
  /// Reset by either side.
  case reset(ErrorCode)
  /// The peer provably did not process it: REFUSED_STREAM, above the last id of a GOAWAY, or never sent.
  case refused
  /// The connection under it broke.
  case connectionLost
}
