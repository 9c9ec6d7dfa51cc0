internal import GRPC
internal import HTTP2
internal import RuntimeDispatcher

/// Why a hooked call has no answer of the runtime.
enum CallEnd: Error {
  /// kubelet gets a status of ours.
  case status(Status)
  /// The runtime reset the call, and so do we.
  case reset(ErrorCode)

  init(_ refusal: Refusal) { self = .status(refusal.status) }

  init(_ failure: CallFailure, endpoint: RuntimeEndpoint) {
    switch failure {
    case .reset(let code): self = .reset(code)
    case .unreachable, .wrongOwner, .notProcessed, .connectionLost, .deadlineExceeded, .cancelled, .tooLarge:
      self = .status(Status(failure, endpoint: endpoint))
    }
  }

  /// The same as a status, for a call of our own.
  var asStatus: Status {
    switch self {
    case .status(let status): status
    case .reset(let code): Status(.unavailable, "the runtime reset the call with \(code)")
    }
  }
}
