package import GRPC

/// Why a call to a plugin has no answer, as far as the wire can tell.
package enum HookCallError: Error, Sendable, Hashable {
  /// The socket is absent, refuses, or may not be opened. The text says what was dialled and what came back.
  case socketUnavailable(String)
  /// The socket belongs to a user that is not trusted.
  case wrongOwner(uid: UInt32)
  /// The timeout that passed.
  case deadlineExceeded(Duration)
  /// The connection or stream broke, was reset or made no sense.
  case connectionBroken(String)
  /// No message, two of them, a compressed one, or one over 4 MiB.
  case badAnswer(String)
  /// The plugin's own error.
  case status(Status)
  /// The calling task was cancelled: kubelet left, or RuntimeManager ends.
  case cancelled
}
