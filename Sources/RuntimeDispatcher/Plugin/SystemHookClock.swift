/// The clock of the machine.
package struct SystemHookClock: HookClock {
  package init() {}
  package var now: ContinuousClock.Instant { .now }
  package func sleep(until deadline: ContinuousClock.Instant) async throws {
    try await ContinuousClock().sleep(until: deadline)
  }
}
