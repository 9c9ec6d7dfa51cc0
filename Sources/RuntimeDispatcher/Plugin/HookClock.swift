/// What time is to the dispatcher; injected, so that no test waits.
package protocol HookClock: Sendable {
  /// The present instant.
  var now: ContinuousClock.Instant { get }

  /// Returns at `deadline`, or at once if that has passed.
  /// - Throws: `CancellationError` when the task is cancelled first.
  func sleep(until deadline: ContinuousClock.Instant) async throws
}
