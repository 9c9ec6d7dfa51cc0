package import GRPC
internal import PluginsManager

extension HookFailure {
  /// What kubelet gets if this failure refuses the call.
  package var status: Status { Status(cause.code, "hook server err: \(reason)") }

  /// Plugin, hook point and cause, for log lines and for naming one failure among several.
  package var reason: String { "\(plugin): \(hookPoint.rawValue): \(cause)" }
}

extension HookFailure.Cause {
  /// The one place that turns causes into codes (design, "Status that kubelet gets").
  var code: StatusCode {
    switch self {
    case .socketUnavailable, .connectionBroken, .tripped, .ending: .unavailable
    case .deadline, .shortenedDeadline, .noTimeLeft: .deadlineExceeded
    case .badAnswer, .undecodable: .internalError
    case .wrongOwner, .forbiddenChange, .conflict, .subjectUnknown: .failedPrecondition
    case .runtimeRefused(let status): status.code
    case .cancelled: .cancelled
    case .status(let status):
      switch status.code {
      // kubelet reads meaning into these, about its own call: "gone", "switch the feature off".
      case .ok, .cancelled, .notFound, .unimplemented, .alreadyExists: .failedPrecondition
      case .unknown, .invalidArgument, .deadlineExceeded, .permissionDenied, .resourceExhausted,
        .failedPrecondition, .aborted, .outOfRange, .internalError, .unavailable, .dataLoss, .unauthenticated:
        status.code
      }
    }
  }
}
