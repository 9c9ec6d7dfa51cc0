/// The clock of the machine.
package struct SystemHookClock: HookClock {
  package init() {}
  package var now: ContinuousClock.Instant { .now }
  package func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}
