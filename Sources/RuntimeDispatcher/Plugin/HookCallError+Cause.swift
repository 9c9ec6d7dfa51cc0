extension HookCallError {
  /// What it means for the plugin. `isShortened`: kubelet's deadline left less than the plugin's own timeout.
  func cause(isShortened: Bool) -> HookFailure.Cause {
    switch self {
    case .socketUnavailable(let text): .socketUnavailable(text)
    case .wrongOwner(let uid): .wrongOwner(uid: uid)
    case .deadlineExceeded(let timeout): isShortened ? .shortenedDeadline(timeout) : .deadline(timeout)
    case .connectionBroken(let text): .connectionBroken(text)
    case .badAnswer(let text): .badAnswer(text)
    case .status(let status): .status(status)
    case .cancelled: .cancelled
    }
  }

  /// What it means for the plugin's breaker.
  func outcome(isShortened: Bool) -> Breaker.Outcome {
    switch self {
    case .status, .badAnswer: .answered
    case .deadlineExceeded: isShortened ? .neither : .deadline
    case .socketUnavailable, .wrongOwner, .connectionBroken, .cancelled: .neither
    }
  }
}
