/// What a dispatcher leaves to the process that takes over.
package struct StopEstate: Sendable {
  /// Calls that have succeeded, oldest first.
  package var succeeded: [StopCall] = []
  /// Calls that are in progress: this process says how they end.
  package var inProgress: [StopCall] = []
  /// Calls that wait for their next attempt.
  package var owed: [OwedCall] = []
  package var breakers: [BreakerState] = []

  package init() {}
}
