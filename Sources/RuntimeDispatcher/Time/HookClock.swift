/// What time is to RuntimeManager; injected, so that no test waits. Nothing but a ``SteadyClock`` asks it.
package protocol HookClock: Sendable {
  /// The instant that the clock shows. It may stand still, leap, or be earlier than the one before.
  var now: ContinuousClock.Instant { get }

  /// Returns when `duration` has passed, whatever becomes of ``now`` meanwhile; at once if it is not positive.
  /// - Throws: `CancellationError` when the task is cancelled first.
  func sleep(for duration: Duration) async throws
}
