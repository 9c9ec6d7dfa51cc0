internal import GRPC
internal import HTTP2

extension Status {
  /// What kubelet is told when the runtime has not answered a call.
  init(_ failure: CallFailure, endpoint: RuntimeEndpoint) {
    switch failure {
    case .unreachable(_, let reason):
      self.init(.unavailable, "\(endpoint.text): \(reason)")
    case .wrongOwner(let uid):
      self.init(.unavailable, "\(endpoint.text): the socket is owned by user \(uid)")
    case .notProcessed:
      self.init(.unavailable, "\(endpoint.text): the connection is closing")
    case .connectionLost:
      self.init(.unavailable, "\(endpoint.text): the connection broke during the call")
    case .reset(.cancel):
      self.init(.cancelled, "\(endpoint.text): the call was reset with CANCEL")
    case .reset(.enhanceYourCalm):
      self.init(.resourceExhausted, "\(endpoint.text): the call was reset with ENHANCE_YOUR_CALM")
    case .reset(let code):
      self.init(.internalError, "\(endpoint.text): the call was reset with \(code)")
    case .deadlineExceeded:
      self.init(.deadlineExceeded, "\(endpoint.text): the deadline passed")
    case .cancelled:
      self.init(.cancelled, "the caller is gone")
    case .tooLarge(let limitBytes):
      self.init(.resourceExhausted, "\(endpoint.text): the answer is larger than \(limitBytes) bytes")
    }
  }
}
