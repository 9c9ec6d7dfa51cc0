/// In one word; the values of a metric's label.
package enum Outcome: String, Sendable, CaseIterable {
  case answered, unchanged, changed
  /// A failure that changed nothing for the call.
  case failed
  /// A failure that refused the call.
  case refused
  /// A failure after which the call is owed.
  case owed
  /// An owed call that was given up.
  case dropped
  /// It was not asked, because its breaker is open; whatever followed from that.
  case tripped
  case notAsked = "not_asked"
  case pending
}
