/// What came of asking a plugin.
package enum Verdict: Sendable, Equatable {
  /// It was told of a stop and has answered; the answer is not read.
  case answered
  /// It wanted nothing changed.
  case unchanged
  /// It wanted changes; those that it may make took effect.
  case changed
  case failed(Failure)
  case notAsked(Reason)
  /// kubelet was answered before the plugin; what became of it is an account of its own.
  case pending

  /// Why a plugin that is registered for the hook point was not asked.
  package enum Reason: String, Sendable, CaseIterable {
    /// kubelet labelled the pod so.
    case skipLabel
    /// An earlier plugin refused the call.
    case refusedEarlier
    /// kubelet left before its turn.
    case callerGone
    /// The runtime did not do what the hook would tell of.
    case runtimeFailed
    /// The runtime does not know the object any more.
    case objectGone
    /// It has answered this hook for this object before, is being told, or is owed the call.
    case toldBefore
    /// It was owed the call, and no registration file names it for this hook point any more.
    case registrationGone
  }
}

extension Verdict {
  package var outcome: Outcome {
    switch self {
    case .answered: .answered
    case .unchanged: .unchanged
    case .changed: .changed
    case .failed(let failure) where failure.kind == .tripped: .tripped
    case .failed(let failure):
      switch failure.effect {
      case .ignored: .failed
      case .refused: .refused
      case .owed: .owed
      case .dropped: .dropped
      }
    case .notAsked: .notAsked
    case .pending: .pending
    }
  }

  package var failure: Failure? { if case .failed(let failure) = self { failure } else { nil } }
}
