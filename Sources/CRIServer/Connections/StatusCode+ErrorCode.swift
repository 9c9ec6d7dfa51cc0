internal import GRPC
internal import HTTP2

extension StatusCode {
  /// What a gRPC client makes of a reset (gRPC over HTTP/2, "Errors").
  init(resetWith code: ErrorCode) {
    switch code {
    case .cancel: self = .cancelled
    case .refusedStream: self = .unavailable
    case .enhanceYourCalm: self = .resourceExhausted
    default: self = .internalError
    }
  }
}
