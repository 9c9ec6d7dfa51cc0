package import HTTP2

/// Why a call of our own has no answer.
package enum CallFailure: Error, Sendable, Hashable {
  /// The socket could not be dialled: its path and the reason.
  case unreachable(path: String, reason: String)
  /// The socket is owned by a user who may not own it.
  case wrongOwner(uid: UInt32)
  /// The server provably did not process the call.
  case notProcessed
  /// The connection broke after the request may have been processed.
  case connectionLost
  case reset(ErrorCode)
  case deadlineExceeded
  /// Our own caller left.
  case cancelled
  /// The answer grew over the limit, in bytes.
  case tooLarge(limitBytes: Int)
}
