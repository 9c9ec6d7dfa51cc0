internal import Synchronization

/// Time as deadlines, pauses and owed calls count it: what a clock has gone forward, and what was slept. What the clock
/// takes back is not counted: being set back prolongs nothing, and no duration is negative. While the clock stands still or
/// runs backwards, only what is slept passes: timeouts end, but a tripped breaker, which nobody sleeps for, stays so.
///
/// With a clock that never goes back, as the machine's, it shows the same instants.
package final class SteadyClock: Sendable {
  /// Since the start. Instants of the standard library's clock are slow to compute with.
  private struct State {
    /// What the clock showed last.
    var seen = Duration.zero
    var now = Duration.zero

    mutating func move(to passed: Duration) { now = max(now, min(passed, limit)) }

    /// Far beyond any use, and far below what an instant can hold: time then stands still.
    private var limit: Duration { .seconds(Int64.max) }
  }

  private let clock: any HookClock
  private let start: ContinuousClock.Instant
  private let state = Mutex(State())

  package init(_ clock: any HookClock) {
    self.clock = clock
    start = clock.now
  }

  /// The present instant; never earlier than one that was shown before.
  package var now: ContinuousClock.Instant { now(notBefore: nil) }

  /// What is left until `deadline`; zero if that has passed.
  package func left(until deadline: ContinuousClock.Instant) -> Duration { max(now.duration(to: deadline), .zero) }

  /// Returns when what is left until `deadline` has passed, at once if nothing is. `deadline` has come then, also by
  /// ``now``.
  /// - Throws: `CancellationError` when the task is cancelled first.
  func sleep(until deadline: ContinuousClock.Instant) async throws {
    try await clock.sleep(for: left(until: deadline))
    _ = now(notBefore: deadline)
  }

  private func now(notBefore reached: ContinuousClock.Instant?) -> ContinuousClock.Instant {
    start
      + state.withLock { state in
        // Asked in here: instants that were taken in another order than they were asked would look like a clock that
        // goes back.
        let seen = start.duration(to: clock.now)
        if state.seen < seen { state.move(to: state.now + (seen - state.seen)) }
        state.seen = seen
        if let reached { state.move(to: start.duration(to: reached)) }
        return state.now
      }
  }
}
