import Testing

@testable import RuntimeDispatcher

/// Time as the dispatcher counts it, over a clock that does what no clock should.
@Suite struct SteadyClockTests {
  private let clock = ManualClock()
  private let steady: SteadyClock
  private let start: ContinuousClock.Instant

  init() {
    steady = SteadyClock(clock)
    start = steady.now
  }

  @Test func showsWhatAClockShowsThatGoesForward() {
    #expect(start == clock.now)
    for step in [0, 1, 3600, 1 << 40] {
      clock.set(by: .seconds(step))
      #expect(steady.now == clock.now)
    }
  }

  @Test func whatTheClockTakesBackIsNotCounted() {
    clock.set(by: .seconds(10))
    #expect(steady.now == start + .seconds(10))
    clock.set(by: .seconds(-3600))
    #expect(steady.now == start + .seconds(10))
    clock.set(by: .seconds(1))
    #expect(steady.now == start + .seconds(11))
  }

  @Test(arguments: (0..<20).map { _ in UInt64.random(in: .min ... .max) })
  func goesForwardByWhatTheClockGoesForward(seed: UInt64) {
    var random = SplitMix(seed)
    var forward = Duration.zero
    for _ in 0..<1000 {
      let step = Duration.milliseconds(Int.random(in: -1_000_000...1_000_000, using: &random))
      clock.set(by: step)
      forward += max(step, .zero)
      #expect(steady.now == start + forward, "seed \(seed)")
    }
  }

  @Test func theLongestLeapsThereAreTrapNothingAndGoNotBack() {
    let deadline = start + .seconds(60)
    var last = start
    for _ in 0..<100 {
      for leap in [Int64.max, .min, .max / 2, .min / 2] {
        clock.set(by: .seconds(leap))
        #expect(steady.now >= last)
        last = steady.now
        #expect(steady.left(until: deadline) == .zero)
        #expect(steady.left(until: last + .seconds(600)) == .seconds(600))
      }
    }
  }

  @Test func sleepsForWhatIsLeftWhateverTheClockShowsMeanwhile() async throws {
    for shown in [Duration.seconds(-3600), .zero, .seconds(3600)] {
      let deadline = steady.now + .seconds(10)
      async let sleep: Void = steady.sleep(until: deadline)
      await clock.sleepers(1)
      clock.set(by: shown)
      clock.advance(by: .seconds(10) - .nanoseconds(1), showing: .zero)
      #expect(clock.sleeperCount == 1)
      clock.advance(by: .nanoseconds(1), showing: .zero)
      try await sleep
      #expect(steady.now >= deadline)
    }
  }
}
