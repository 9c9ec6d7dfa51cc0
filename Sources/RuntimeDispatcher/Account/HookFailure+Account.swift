internal import Accounts

extension HookFailure.Cause {
  /// As an account tells it.
  func failure(_ effect: Failure.Effect) -> Verdict { .failed(Failure(kind, description, effect: effect)) }

  private var kind: Failure.Kind {
    switch self {
    case .socketUnavailable: .socketUnavailable
    case .wrongOwner: .wrongOwner
    case .deadline: .deadline
    case .shortenedDeadline: .shortenedDeadline
    case .noTimeLeft: .noTimeLeft
    case .connectionBroken: .connectionBroken
    case .tripped: .tripped
    case .badAnswer: .badAnswer
    case .undecodable: .undecodable
    case .status: .status
    case .forbiddenChange: .forbiddenChange
    case .conflict: .conflict
    case .subjectUnknown: .subjectUnknown
    case .runtimeRefused: .runtimeRefused
    case .cancelled: .cancelled
    case .ending: .ending
    }
  }
}
