/// A plugin's failure at one hook point, and what it meant for the call.
package struct Failure: Sendable, Equatable {
  package var kind: Kind
  /// The cause as in the log and in kubelet's status; names fields, never their values.
  package var text: String
  package var effect: Effect

  package init(_ kind: Kind, _ text: String, effect: Effect) {
    self.kind = kind
    self.text = text
    self.effect = effect
  }

  /// The causes, without their particulars (README.md, "When a plugin fails").
  package enum Kind: String, Sendable, CaseIterable {
    case socketUnavailable, wrongOwner, deadline, shortenedDeadline, noTimeLeft, connectionBroken, tripped, badAnswer
    case undecodable, status, forbiddenChange, conflict, subjectUnknown, runtimeRefused, cancelled, ending
  }

  package enum Effect: String, Sendable, CaseIterable {
    /// The call went on.
    case ignored
    /// kubelet got the failure.
    case refused
    /// The call to the plugin is repeated until it succeeds.
    case owed
    /// It was owed, and is not repeated any more.
    case dropped
  }
}
