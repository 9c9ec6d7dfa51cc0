internal import GRPC

/// What the runtime's status says about the object of a call.
enum CallOutcome: Sendable, Hashable {
  case succeeded
  /// The object is gone.
  case notFound
  /// The runtime refused: nothing has changed.
  case refused
  /// It may or may not have happened: the record is stale from now on.
  case unknown

  init(_ code: StatusCode) {
    switch code {
    case .ok: self = .succeeded
    case .notFound: self = .notFound
    case .unavailable, .cancelled, .deadlineExceeded: self = .unknown
    case .unknown, .invalidArgument, .alreadyExists, .permissionDenied, .resourceExhausted, .failedPrecondition,
      .aborted, .outOfRange, .unimplemented, .internalError, .dataLoss, .unauthenticated:
      self = .refused
    }
  }

  /// After a stop, Post hooks run: it worked, or the runtime no longer has what we still know of.
  func isStopped(isKnown: Bool) -> Bool {
    switch self {
    case .succeeded: true
    case .notFound: isKnown
    case .refused, .unknown: false
    }
  }
}
